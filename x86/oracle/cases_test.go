package oracle

// pastFailures are cases on which the interpreter was wrong, shrunk, as [Case.Literal] printed them.
var pastFailures = []*Case{}
