// Vendor libraries print to standard output, where the program's log goes.
#pragma once

namespace qb {

struct Diversion {
  int original = -1;  // descriptor of the standard output that was
  int printed = -1;   // what is printed to standard output from now on can be read here
};

// To be called once. Puts a pipe in the place of standard output, for good. Nobody who prints ever waits for the reader: what does
// not fit into the pipe is lost. False, and nothing is changed, if the process has no descriptors left.
bool divertStandardOutput(Diversion &result) noexcept;

// What happens by itself at exit(): who shares the output that was finds it as it was.
void restoreStandardOutput() noexcept;

}  // namespace qb
