package vision

// Normalize is the pixel work of Prepare without the JPEG encoding, whose loss would blur a
// comparison with a reference.
var Normalize = normalize
