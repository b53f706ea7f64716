// A library is tried out in a process of its own first: whatever it does while it is loaded, asked for its version
// and asked for a session (crash, exit, hang, exceptions before main), it does not do it to the gateway.
//
// A file is tried once, on a thread of its own, and the verdict holds for as long as the file is the same: one that
// hangs costs nobody more than the first wait, and only those who name it.
#pragma once

#include <string>

#include "file_identity.h"

namespace qb {

// Steps of the trial, as the trial process reports them.
enum class TrialStep : char { loading = 'l', version = 'v', session = 's', passed = 'p' };

// Where the trial process reports its steps to, one character each.
constexpr int trialReportFd = 3;

// Starts the trial of this file (an absolute path) if it has had none. True while it is under way.
bool trialUnderWay(const std::string &path);

// Why the library must not be loaded into this process; empty if it survived. Waits for the trial. That it could not
// be opened, or that it gave no session, is not a reason here: the process itself finds out, with better words.
// `tried`: the file as it was then.
std::string whyNotSafe(const std::string &path, FileIdentity &tried);

// For the end of the process: trials that are under way are broken off and leave nothing behind.
void abandonTrials() noexcept;

}  // namespace qb
