// Package routing decides who follows a lead up: which dealer, which department, which role,
// and inside a store which person. It is pure; everything it knows comes in as a value.
//
// A Network and a Policy compile to a Snapshot, which any number of readers share. Choose takes
// a Snapshot and the Facts of one lead and leaves a Choice. It works in two halves:
//
//   - gather reads the snapshot and writes every fact that the choice will consume into the
//     receipt: the policy's numbers, the stores that the lead names, the nearest stores;
//   - decide reads nothing but the receipt and walks the published order: may they, whom did the
//     customer choose, who knows them, whose area, among equals, inside, nobody.
//
// Because decide sees only the receipt, Replay is the same function run on a stored receipt, and
// a decision can be checked years later without the network of that day.
//
// No float decides. Distances are whole metres before anything compares them, performance and
// shares are parts per million, expected results parts per billion.
package routing
