// Owns: every bound of the runtime, with its unit and its arithmetic. Nothing that grows is without a line here.

/** A syslog message longer than this is cut there and counted. RFC 5424 asks for 2,048; IOS sends 1,024; room for structured data. */
export const syslogMessageBytesMax = 16_384;
/** The largest UDP payload there is: 65,535 - 20 (IP) - 8 (UDP). */
export const datagramBytesMax = 65_507;
/** Bytes waiting between one TCP syslog sender's last line end and its next, or an octet count: beyond it the sender is cut off. */
export const syslogFrameBytesMax = 131_072;
/** TCP syslog senders at once. */
export const syslogConnectionsMax = 4_096;
/** Asked of the kernel for a UDP socket; it grants up to net.core.rmem_max (4 MiB here: some 10,900 small datagrams). */
export const receiveBufferBytes = 8 * 1024 * 1024;
/** Events received and not yet committed: 262,144 x about 600 bytes = 157 MB at most. Beyond it new datagrams are dropped and counted. */
export const pendingEventsMax = 262_144;
/** Entries one append commits: larger gains little (330k rows/s at 1,000) and holds the first one back. */
export const appendEntriesMax = 1_024;
/** An entry as JSON. Evidence is 64 kB at most, a raw message 64 kB. */
export const journalEntryBytesMax = 262_144;
/** A reading as JSON: an entry without what is put around it. */
export const readingBytesMax = journalEntryBytesMax - 1_024;
/** Evidence kept with an outcome, as JSON; beyond it the digest. */
export const evidenceBytesMax = 65_536;
/** A reason that is journaled: a sentence, or what a device or a policy said. In JSON a letter may take 6 bytes: 98 kB. */
export const reasonLettersMax = 16_384;
/** What one command may answer before the session is cut: a full BGP table section fits, a runaway does not. */
export const replyBytesMax = 8 * 1024 * 1024;
/** Keys one operator of one policy remembers; beyond it the oldest is dropped, counted and shown. */
export const cellKeysMax = 100_000;
/** Events an operator keeps for one key. */
export const cellEventsMax = 1_000;
/** Intents one entry may cause in one policy: more is a policy gone wrong. */
export const intentsPerStepMax = 1_000;
/** An intent as JSON, in letters of up to 3 bytes: 197 kB, which the journal takes as an entry (journalEntryBytesMax). */
export const intentLettersMax = 65_536;
/** Intents waiting for one target. */
export const targetQueueMax = 1_000;
/** A state read longer ago than this does not carry a write (law: no datagram changes the network by itself). */
export const readingFreshMs = 2_000;
/** A forward jump of event time beyond this is a gap: something slept. */
export const timeJumpMs = 5_000;
/** Entries of one append share a row in the journal's file up to this much JSON; a larger append takes several rows of one
 * transaction, so that a reader never holds more: 16 entries of the largest kind, or some 9,000 of 450 bytes. */
export const journalRowBytesMax = 4 * 1024 * 1024;
/** JSON of one row from which on it is compressed: some 60 entries. Below it a sync costs more than the bytes, and the file can be
 * read with any SQLite. */
export const journalCompressBytesMin = 32_768;
/** A snapshot or a bundle. 100,000 keys of 1 kB are 100 MB; SQLite's own limit is 1 GB, and a blob is held in memory whole. */
export const journalBlobBytesMax = 256 * 1024 * 1024;
/** From the first byte of an SSH connection to the end of its login: old boxes need seconds for a key exchange. */
export const sshHandshakeMs = 20_000;
/** A warm SSH session is asked for life this often; three unanswered end it: 45 s until a dead peer is noticed. */
export const sshKeepaliveMs = 15_000;
/** Opening a session: TCP, SSH handshake, login, prompt. An old box takes seconds for the handshake alone. */
export const connectDeadlineMs = 8_000;
/** One reading of a state or a resource, all its commands: `show running-config` takes seconds on an old box. */
export const readDeadlineMs = 10_000;
/** One application of a plan. After this nothing of it can still be under way: recovery waits for it (law E4). */
export const applyDeadlineMs = 10_000;
/** From the last byte of a change until it must be effective: BGP's advertisement interval is 5 s inside, 30 s to a peer outside. */
export const verifyDeadlineMs = 35_000;
/** Reconnecting: 0.25 s, 0.5 s, 1 s … 15 s. */
export const reconnectFirstMs = 250;
export const reconnectLastMs = 15_000;
/** offbox.yaml or inventory.yaml: four times what the journal takes of an inventory (262,144 bytes as JSON), for comments. */
export const configFileBytesMax = 1_048_576;
/** Values in one of those files, aliases counted as often as they are used: 1 MiB at some 10 bytes a value. */
export const configNodesMax = 100_000;
/** Levels in one of those files: the deepest there is today (sources.snmp.users.0.auth.key.env) has 7. */
export const configDepthMax = 16;
/** A secret: a 16,384-bit RSA key in PEM is 12.7 kB. */
export const secretBytesMax = 65_536;
/** What a command that prints a secret may take: a vault on the network answers in a second or two. */
export const secretCommandMs = 10_000;
/** RFC 3414 section 2.2.3: an SNMPv3 message this much older than its engine's clock is refused. */
export const snmpTimeWindowSeconds = 150;
/** SNMPv3 (engine, user) pairs whose clock and keys are remembered: 16,384 x about 400 bytes = 7 MB, digests apart. */
export const snmpEnginesMax = 16_384;
/** Digests of SNMPv3 messages kept against replay: 524,288 x about 120 bytes = 63 MB; 3,495 messages/s over 150 s. */
export const snmpSeenDigestsMax = 524_288;
/** Informs under way or answered within 150 s: 65,536 x about 300 bytes = 20 MB, the responses apart. */
export const snmpInformsMax = 65_536;
/** Senders whose sysUpTime and boots are remembered: 65,536 x about 150 bytes = 10 MB. */
export const snmpSendersMax = 65_536;
/** SNMPv3 messages a second, and at once, that one address may send under engines never seen authentic: 1,000 x 27 µs = 3 % CPU. */
export const snmpStrangersPerSecond = 1_000;
/** Addresses whose such allowance is remembered. */
export const snmpStrangerSourcesMax = 4_096;
/** Events waiting for an interface name: 10,000 x about 1 kB = 10 MB. Beyond it new ones are dropped and counted. */
export const snmpWaitingMax = 10_000;
/** Interface names remembered: 65,536 x about 200 bytes = 13 MB. */
export const ifNamesMax = 65_536;
/** Interface names asked for at once; beyond it events go on with their ifIndex. */
export const ifNameQuestionsMax = 1_024;
/** An event waits no longer than this for an interface name; the question is sent again half-way. */
export const ifNamePatienceMs = 1_000;
/** An interface name is asked for anew after this; an agent that did not answer is left alone for a hundredth of it. */
export const ifNameKeptMs = 600_000;
/** Between two gaps of one target: a sender that jumps about asks for no more than one reading of its target in this time. */
export const gapIntervalMs = 5_000;
/** A confirmed commit that nobody confirms is undone by the target after this: one commit and one confirmation take seconds. */
export const netconfConfirmSeconds = 60;
/** Syslog received and not yet parsed, in memory shared with the receiving thread: 32 MiB are some 200,000 messages of 140 bytes. A power of two. */
export const syslogRingBytes = 33_554_432;
/** Syslog events handed on and not yet durable: one append on its way and the next one ready behind it. More only ages on the
 * heap, where each collection copies it: 4 appends cost a fifth more a line. 2,048 x about 2 kB = 4 MB. */
export const syslogUncommittedMax = 2 * appendEntriesMax;
/** Syslog events in one turn of the loop from which on it is a flood: then the ring is looked at again after this long, without a
 * bell. At 150,000 a second that is 600 an append, and adds 4 ms at most to what is told then. */
export const syslogFloodEvents = 256;
export const syslogFloodLookMs = 4;
/** Datagrams between two rests from which on they are a burst, and how long then nothing is read: receiving 300,000 a second takes a
 * core, and the kernel's buffer holds 10,900. The ring holds 200,000; half full it is read all the same. */
export const syslogBurstDatagrams = 1_000;
export const syslogBurstLookMs = 60;
/** Syslog senders whose message counters are remembered: 65,536 x about 150 bytes = 10 MB. */
export const syslogSendersMax = 65_536;
/** The kernel's count of dropped datagrams is read this often. */
export const kernelDropsMs = 1_000;
/** Tries of one append whose answer was lost: with the waits between them, 20 ms doubled each time, 2.5 s in all. */
export const appendTriesMax = 8;
/** The first of those waits. */
export const appendWaitMs = 20;
/** A request to the control socket: one event with its raw message. */
export const apiBodyBytesMax = 1024 * 1024;
/** A request from an orchestrator: its longest fields (vm 255, reason 1,000 letters) are some 5 kB even where each is escaped. */
export const requestBytesMax = 16_384;
/** Requests taken and not yet durable: a commit takes milliseconds. 1,024 x 16 kB = 17 MB. */
export const requestsUnderWayMax = 1_024;
/** Requests remembered, so that the same again is known and can be asked for: 10,000 x about 3 kB = 30 MB; the oldest is forgotten. */
export const requestsKeptMax = 10_000;
/** Reports waiting to be delivered, as where the broker is away: 10,000 x about 500 bytes = 5 MB. */
export const reportsWaitingMax = 10_000;
/** A report that could not be delivered for a day is told to nobody. */
export const reportKeptMs = 86_400_000;
/** Requests over HTTP at once; each holds a socket and 16 kB at most. */
export const httpConnectionsMax = 256;
/** From the first byte of a request over HTTP to its last: 16 kB take less than a second on any line. */
export const httpRequestMs = 10_000;
/** A connection that is kept open and says nothing. */
export const httpIdleMs = 30_000;
/** All headers of a request over HTTP: a bearer token is 1 kB at most. */
export const httpHeaderBytesMax = 8_192;
/** Connecting to a NATS server: TCP, TLS, login. */
export const natsConnectMs = 5_000;
/** From publishing to the broker's word that it has it. */
export const natsFlushMs = 5_000;
/** Silence after which a NATS server is asked for life; two unanswered end the connection: 30 s until a dead one is noticed. */
export const natsPingMs = 10_000;
/** Look-ups to resolve one route: real next hops lie two or three deep, times eight equal-cost paths; more is a loop. */
export const routeLookupsMax = 32;
/** A call to libvirtd: a guest's monitor that hangs holds it up for 30 s there; a listing need not wait for that. */
export const libvirtCallMs = 10_000;
/** What job a domain has: libvirtd answers at once, or not while its QEMU hangs. Well within readingFreshMs. */
export const libvirtJobMs = 1_000;
/** Calls of one connection under way: libvirtd stops reading at its max_client_requests, 5 by default, pings included. */
export const libvirtCallsAtOnce = 4;
/** Calls of one connection that wait for their turn: a listing has four under way, and an event one. */
export const libvirtCallsMax = 1_024;
/** Our own pings where nothing has come from a libvirtd: after 5 s, and the connection is over after 20 s (3 unanswered). */
export const libvirtPingMs = 5_000;
export const libvirtPingsMax = 3;
/** Events of one hypervisor not yet offered: 4,096 x about 300 bytes = 1.2 MB. Beyond it the connection is cut and it is listed anew. */
export const libvirtEventsMax = 4_096;
/** Domains of one hypervisor: their UUIDs make one entry, 4,096 x 39 bytes = 160 kB of the 262,144 it may have. */
export const libvirtDomainsMax = 4_096;
/** Hypervisors listed at once: after a start of Offbox 500 of them are, and reading an XML takes a millisecond. */
export const libvirtListingsMax = 8;
/** Interfaces told of one VM. */
export const libvirtNicsMax = 64;
/** A domain's name, a host's word: cut there. libvirt itself takes no names beyond a file's 255 bytes. */
export const libvirtWordMax = 256;
/** A domain's XML: the largest seen have 60 kB; beyond this it is not parsed. */
export const libvirtXmlMax = 2 * 1024 * 1024;
/** Migrations whose failure is remembered, on all hypervisors: 1,024 x about 500 bytes. */
export const libvirtFailuresMax = 1_024;
/** A migration's call to libvirtd lasts as long as the migration: after this nobody believes in it any more. */
export const libvirtMigrateMs = 24 * 3_600_000;
/** Between the first connections of two hypervisors: 500 of them are connected to within 5 s of a start. */
export const libvirtSpreadMs = 10;
/** A connection that held this long counts as a good one: the next loss is tried again at once. */
export const libvirtStableMs = 30_000;
/** Events are offered again after this where there was no room for them. */
export const libvirtRoomMs = 50;
/** Between looks whether libvirtd has taken up a migration: it shows the job some 10 ms after the call. */
export const libvirtJobPollMs = 20;
/** The pass over a guest's memory from which on a migration that may is switched to post-copy: two before were not enough. */
export const libvirtPostCopyPass = 3;
/** What comes back is done again this often: a guest that still sends is heard every few hundred milliseconds, for seconds. */
export const comesBackMax = 20;
/** Bytes of one connection that libvirtd has not read: a call has some 100; with more it reads nothing. */
export const libvirtUnsentBytesMax = 1_048_576;
/** VMs remembered: 500 hypervisors with 200 each. */
export const vmsMax = 100_000;
/** Hosts remembered of one VM: a migration has two, and a definition may lie about on some more. */
export const hostsPerVmMax = 16;
/** Without a start for this long a request is looked into, milliseconds: both hosts are read. */
export const migrationStartWithinMs = 60_000;
/** From the answer of a reading to its entry, milliseconds: a queue and a commit, with room. */
export const readingLagMs = 1_000;
/** Steps of one `sequence`: a run of each length is remembered, 32 x 31 / 2 = 496 events a key, under cellEventsMax. EEM's `occurs`, too, ends at 32. */
export const sequenceStepsMax = 32;
/** Kinds of event one `allOf` waits for. */
export const allOfMax = 32;
/** Keys whose last miss is kept while explaining. */
export const explainedKeysMax = 10_000;
/** What a domain's XML said is believed this long at most, and half as long at least, where nothing was said to change it: the next
 * event after that has it read again, for a device changed in its place (virsh update-device) is told by no event. 500 hypervisors
 * with 10 domains each: 22 readings a second, of 0.2 ms each. */
export const libvirtXmlFreshMs = 300_000;
/** Events of all hypervisors handed on and not yet durable: one append on its way and the next one ready behind it. Beyond it none of
 * them is read until half are durable, and the rest waits in their sockets: on the heap it would only age, where each collection
 * copies it. 2,048 x about 2 kB = 4 MB, and what the last read of each socket brought: 500 x 64 kB = 32 MB at most. */
export const libvirtUncommittedMax = 2 * appendEntriesMax;
/** Intents remembered of which nobody can tell what became, until an operator answers: 10,000 x about 1 kB = 10 MB. */
export const unknownIntentsMax = 10_000;
/** Between two snapshots: entries, which a restart replays in a third of a second, or milliseconds where anything came at all. */
export const snapshotEntries = 50_000;
export const snapshotMs = 300_000;
/** A snapshot that is due waits for pipes to have their answers; no longer than this, milliseconds. */
export const snapshotPatienceMs = 60_000;
/** A snapshot is written in pieces of this long, milliseconds; in between the host goes on. */
export const snapshotSliceMs = 2;
/** Entries before a snapshot that are read again at a start, so that there is something to show. */
export const shownAgainEntries = 4_096;
/** What came due longer before a start than this is late; a restart takes seconds. */
export const lateMs = 60_000;
/** A snapshot before it is compressed; a string of V8 has 512 MiB at most. 100,000 keys with 1 kB each are 100 MB. */
export const snapshotJsonBytesMax = 500 * 1024 * 1024;
/** A journal that had no room is tried again this often. */
export const journalRetryMs = 1_000;
/** How much room there is, is looked at this often. */
export const journalRoomMs = 1_000;
/** With less room than this nothing is attempted any more: there is still room to remember what comes. 16 MiB are 28,000 events of 600
 * bytes, or 250 outcomes with all the evidence they may have; a twentieth of the limit where that is less. */
export const journalReserveBytes = 16 * 1024 * 1024;
/** The share of its size limit from which on a journal forgets before its time. */
export const journalTrimShare = 0.8;
/** An ensure is stale after this where its policy does not say otherwise, milliseconds: a line that was lost is back within it. */
export const ensureValidMs = 60_000;
/** A policy may say up to this: an intent that waits keeps the journal from being trimmed, which keeps 30 days. */
export const ensureValidMsMax = 7 * 24 * 3_600_000;
/** What a mode withheld does not wait for another mode: turning `enforce` on does what is newer than this, not a day's work at once. */
export const withheldValidMs = 600_000;
/** While git writes a working tree nothing of it is put in force: looked at this often, and given up after so long, milliseconds. A
 * checkout of a few policies takes some; a lock that a killed git left behind stays for ever. */
export const gitBusyLookMs = 100;
export const gitBusyMs = 60_000;
/** Where the journal must get shorter a snapshot is taken before its time, but not within this of the last one, milliseconds: at
 * 10,000 entries of 600 bytes a second that is 60 MB between two. */
export const snapshotHurryMs = 10_000;
/** A policy's call that is on for this many looks does not come back: 20 x 100 ms = 2 s. Looks are counted, not time: a machine that was
 * suspended has looked once. */
export const policyLookMs = 100;
export const policyLooksMax = 20;
/** What all policies may keep in memory together, heap and buffers: ten operators with 100,000 keys of 1 kB are 1 GB. From half of it on
 * calls are weighed, from three quarters on the heaviest policy is ended. */
export const policyMemoryMax = 1024 * 1024 * 1024;
/** What one call may add to the process before it is ended: buffers are in no heap. */
export const policyCallBytesMax = 512 * 1024 * 1024;
/** V8's own limit for the thread of policies, megabytes. It is only the last resort: what asks for a lot beyond it at once ends the process. */
export const policyHeapMb = 4_096;
/** Appends handed to the thread of policies and not yet answered, and their text: 256 x 1,024 entries at most. Beyond it the thread reads
 * in the journal what it was not handed. */
export const policyAppendsMax = 256;
export const policyTextMax = 16 * 1024 * 1024;
/** What changes facts alone waits for an entry that a policy hears of, until it is so many entries or characters. */
export const policyFactsMax = 512;
export const policyFactsTextMax = 1024 * 1024;
/** Threads of policies that ended one after another with nobody to name, each within a minute of its beginning: then nothing is decided
 * any more. */
export const policyThreadsMax = 3;
export const policyThreadGoodMs = 60_000;
/** What the thread of policies is asked for somebody who waits. */
export const policyAnswerMs = 1_000;
/** An SNMP agent's answer is waited for this long, milliseconds, and a question that only reads is sent this often: 3 x 2 s stay within
 * the time a session has to open (8 s) and a reading (10 s). What sets is sent once, and waited for as long as three questions. */
export const snmpAnswerMs = 2_000;
export const snmpAsksMax = 3;
/** Rows of one walk: the secure addresses of a port are at most some 4,100, the interfaces of a chassis some thousands. */
export const snmpWalkRowsMax = 20_000;
/** Rows asked for at once: 20 x about 40 bytes = 800 bytes, in one datagram of Ethernet; an agent that finds it too much says so. */
export const snmpRepetitions = 20;
/** Whether what a new version of a policy waits for is let go of: asked of the thread of policies, which answers in milliseconds. */
export const heldLookMs = 2_000;
/** Nothing is appended for so long: what was decided until then is recorded by itself, not with the next entry. */
export const decidedRestMs = 1_000;

/** Whoever tells the launcher and us, as systemd and a terminal do, is heard twice, for the launcher passes it on. */
export const sameSignalMs = 300;
