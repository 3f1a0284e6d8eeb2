// Package softdelete deletes rows so that they can come back, and removes them for good when
// their time is over.
package softdelete
