# What pulumi printed, as an indented block of Markdown: no name in it can end the block, or give the CI runner a command.
s/\r/ /g
s/##\[/## [/g
s/^\([[:space:]]*\)::/\1: :/
s/^/    /
