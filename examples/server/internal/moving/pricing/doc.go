// Package pricing turns a company's price list and a survey into a quote.
//
// [Compute] is a pure function: no clock, no storage, no randomness. Money is counted in pence,
// volume in units of 0.0001 m³, weight in grams; only the great-circle distance uses floating
// point, with every product rounded on its own so that all processors agree. Each of the nine
// lines is rounded half up to a penny before it is added, so the lines a customer sees always add
// up to the total.
//
// # Garbage in
//
// Negative counts, sizes and amounts count as zero; every line and the total stop at [MaxLine]. A quote is
// therefore never negative and never overflows, whatever is passed in; whether a price list makes
// sense is [Config.Faults]' business, and a survey's limits are the API's.
//
// # What it does not do
//
// No VAT, no discount, no minimum charge and no calendar rule. The quantity of loose goods is
// taken as objects when boxes are counted, although the surveyor counts boxes.
package pricing
