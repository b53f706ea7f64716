// Owners and sessions by number. A number is never given twice in a process.
#pragma once

#include <memory>
#include <vector>

namespace qb {

class Owner;
class Session;

// Owners stay for the life of the process: vendor threads may be about to use one.
int addOwner(std::unique_ptr<Owner> owner);
Owner *ownerAt(int handle);

// Gives the session its handle.
int addSession(const std::shared_ptr<Session> &session);
// Null if there is none with this handle, or none any more.
std::shared_ptr<Session> sessionAt(int handle);
bool wasSession(int handle);
std::vector<std::shared_ptr<Session>> sessionsOf(int owner);
std::vector<std::shared_ptr<Session>> allSessions();
// After its release.
void forgetSession(int handle);

}  // namespace qb
