// A copy of a library's file in memory, which is loaded instead: anyone who overwrites the file itself while it is
// loaded ("cp new.so old.so") would change the code that runs, or end the process with SIGBUS.
#pragma once

#include <string>

#include "file_identity.h"

namespace qb {

// A name of the copy that can be loaded, to the end of the process. Empty with the reason in `error`, also if the file
// is not, or no longer, the one that `expected` says.
std::string copyPrivately(const std::string &path, const FileIdentity &expected, std::string &error);

// Gives up a copy, named as above, that could not be loaded.
void discardCopy(const std::string &copy);

}  // namespace qb
