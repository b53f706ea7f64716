// A library is tried out in a process of its own first: whatever it does while it is loaded, asked for its version
// and asked for a session (crash, exit, hang, exceptions before main), it does not do it to the gateway.
#pragma once

#include <string>

namespace qb {

// Steps of the trial, as the trial process reports them.
enum class TrialStep : char { loading = 'l', version = 'v', session = 's', passed = 'p' };

// Where the trial process reports its steps to, one character each.
constexpr int trialReportFd = 3;

// Why the library must not be loaded into this process; empty if it survived. That it could not be opened, or that
// it gave no session, is not a reason here: the process itself finds out, with better words.
std::string whyNotSafe(const char *path);

}  // namespace qb
