// Package moving is the moving-quote domain: companies and their price lists, surveys that customers
// fill in with photos, the inventory a model finds on them, quotes, and the way of a move from survey
// to acceptance.
//
// Two kinds of caller reach it. Staff act for the company their token names; customers hold a survey
// token that opens one move. Every statement carries the company, and for customers the move, so a
// row of somebody else does not exist for them.
//
// # Order and concurrency
//
// Whatever changes a move first runs one guarded UPDATE on its row (company, status), in the same
// transaction. That statement decides whether the change is allowed and makes changes of one move
// wait for each other; no change is decided on a value that was read before.
//
// # Units
//
// Inside and in the database money is pence, volume 0.0001 m³, weight grams, length millimetres. JSON
// has volume_m3, weight_kg and length_cm as decimal numbers.
package moving
