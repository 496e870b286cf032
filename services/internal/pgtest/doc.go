// Package pgtest gives each test a fresh, migrated PostgreSQL database of its
// own in about a tenth of a second.
//
// The first test that needs one starts a throwaway cluster, shared by all test
// processes of this account on this machine and too careless with the disk to
// be used for anything else. Databases are copies of a template made once per
// set of migrations. Nothing has to be set up, no TestMain, and nothing is
// left behind: the cluster watches from the inside and shuts itself down when
// it has had no test for a minute.
//
// With LEADMESH_TEST_DATABASE_URL set, that server is used instead; its login
// must be allowed to create databases and roles.
package pgtest
