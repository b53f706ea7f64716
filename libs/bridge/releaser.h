// Releases sessions one at a time on a background thread of the process. Releasing many at once crashes a
// real library, and a release may wait for a callback to end, so it never runs on a JS thread. One that does not
// return within a limit, 10 s if none was set, is given up: the next one begins beside it.
#pragma once

#include <memory>

namespace qb {

class Session;

// Puts a closed session in line. False if the thread cannot be started.
bool releaseLater(std::shared_ptr<Session> session) noexcept;

// For releases that begin from now on.
void limitRelease(int ms) noexcept;

// While held, no release begins: what a library does at its release must not happen to a process that ends anyway.
void holdReleases(bool hold) noexcept;

}  // namespace qb
