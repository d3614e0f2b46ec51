"""Where commands ask: the same questions and the same objects, whether the store answers or a server does.

    asked       the questions, and what they take
    opening     an installation in, its desk out: nothing of the store is imported where a server is asked
    stored      answered from the store, by the config file
    diagnosing  what is wrong around an installation, seen from here
    acting      the same for what changes something
    remote      answered over HTTP by `jobwire web`
    remoteacts  the same for what changes something
    http        one call to a server, and what went wrong in words
    address     what is given to reach it by: URL, token, certificates
    following   events as they happen, over HTTP

Every object is a line of JSON as bytes, exactly as programs get it; tables are made of its values.
"""
