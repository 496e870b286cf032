// Package postgres is how leadmesh reaches its database: a pool per service,
// transactions that retry, migrations, the sorting of errors into the few
// kinds callers act on, and the private server for those who have no database.
//
// # One database, a schema and a role per service
//
// Service "capture" owns the schema capture through the role leadmesh_capture.
// [Migrate] makes both; [Open] gives a pool whose sessions have SET ROLE to it
// and see that schema only, so a query that strays into another service's
// tables fails in the first test. The role leadmesh_audit reads everything and
// writes nothing.
//
// # The private server
//
// [StartPrivate] runs a server of leadmesh's own, reached over a unix socket
// in a folder closed to everybody else. Its life:
//
//	no cluster ──initdb──▶ stopped ──spawn──▶ starting ──answers──▶ running
//	                          ▲                                      │ │ │
//	                          └──────── Stop (fast, then at once) ───┘ │ │
//	                          ▲                                        │ │
//	                          └──────────── the server dies ───────────┘ │
//	   adopted by the next StartPrivate ◀── leadmesh dies (kill -9) ─────┘
//
// The lock on the data directory belongs to the leadmesh process, not to the
// server: the kernel drops it when leadmesh dies in whatever way, and the
// server that may have been left behind is adopted by the next start.
package postgres
