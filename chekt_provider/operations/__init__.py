"""What each operation means, in plain Python: here live the safety rules. No Pulumi, no calls of HTTP.

    stations     create, read, update and delete of a monitoring station
    creation     one station once; with outcomes (what came of a POST), adoption, replays (answers given before) and
                 lookalikes (what may be it)
    writes       PUT, and what is recorded of a write
    assignments  create, read, update and delete of a site's assignment; with the probe of a receiver
    sites        which sites hang on a station, and the guard of its deletion
    moving       a site goes to another station, and loses nothing
    directory    what CHeKT lists, read once for all threads
    claims       which resource of the run has what
    identity     whether a number still is the recorded station's

Each is safe to use from several threads.
"""
