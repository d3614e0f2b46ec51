"""What a worker does: scan a source, ring deadlines, relay events into lanes, deliver lanes to targets.

source  target      what is configured, as the modules below see it
timetable           which sources are due
scan  lease         one scan under its lease
plan                how wide its walk is        proofs  seen    which pages and ids need no second look
walk  writes        each page sifted, judged and committed                ports    what that needs of the store
doubt  absence      what is not believed yet; what was not seen
learning  arming    shapes of items; clocks that items wind
notices  tally      how a scan ends, in events and in numbers             telling  which events it made, for the log
ring  watch         what time alone brings about: of resources, of sources
relay  draft        events into lanes, groups and conditions
hushing  standing   what keeps messages back; what still stands
caretaker           ends that no event tells
attention           what people say of conditions and silences
deliver  attempt    lanes to targets            allowance  catchup    how many now; which of many
turns               groups whose turn it is     groupview  looked     a group at one moment; what is recorded of it
speaking            what a group says           backlog               many late groups in one message
target_news         what attempts tell of their target
digesting           one message a day           digest_content    what it says
rotation            new signing secrets
traces              what of all this a collector of traces is told
consumer            all of it but scans, resident in each worker
"""
