"""The `pulumi` commands of a roll-out, which one Ctrl-C ends as gently as Pulumi can."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping

from pulumi.automation import CommandError, CommandResult, LocalWorkspace, OutputMap, PulumiCommand


class PulumiFailedError(CommandError):
    """A command that ended with another exit status than 0.

    Attributes:
        printed: the lines that it wrote to stderr.
    """

    def __init__(self, result: CommandResult) -> None:
        super().__init__(result)
        self.printed = [line.strip() for line in result.stderr.splitlines() if line.strip()]


class GentleCommand(PulumiCommand):
    """Runs each command in a session of its own, so that a terminal's Ctrl-C reaches it through `interrupt` alone.

    A `pulumi` that gets the signal twice gives up operations in flight; from a terminal and from us would be twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self._running: set[subprocess.Popen[str]] = set()
        self._interrupted = False
        self._lock = threading.RLock()  # a signal may come while the main thread holds it

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run one command. `on_output` and `on_error` are not used.

        Raises:
            PulumiFailedError: it failed, or `interrupt` was called before it began.
        """
        with self._lock:
            if self._interrupted:
                raise PulumiFailedError(CommandResult("", "stopped before this began", -1))
            process = subprocess.Popen(  # noqa: S603 - the command is ours
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        try:
            stdout, stderr = process.communicate()
        finally:
            with self._lock:
                self._running.discard(process)
        result = CommandResult(stdout, stderr, process.returncode)
        if process.returncode:
            raise PulumiFailedError(result)
        return result

    def interrupt(self) -> None:
        """Hand one Ctrl-C to every command in flight, of which Pulumi finishes what it has begun; no other is run."""
        with self._lock:
            if self._interrupted:
                return
            self._interrupted = True
            for process in self._running:
                process.send_signal(signal.SIGINT)


class QuietWorkspace(LocalWorkspace):
    """A project's folder in which several stacks are used at once: every command names its own."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing: the selection is one for the whole folder, and nothing here reads it."""

    def stack_outputs(self, stack_name: str) -> OutputMap:
        """Nothing: `up` would read them in two more commands, one of which decrypts secrets."""
        return {}
