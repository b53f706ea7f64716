#include "registry.h"

#include <map>
#include <mutex>
#include <utility>

#include "owner.h"
#include "session.h"

namespace qb {
namespace {

// Never destroyed: vendor threads may outlive static destructors.
struct Registry {
  std::mutex mutex;
  std::vector<std::unique_ptr<Owner>> owners;
  std::map<int, std::shared_ptr<Session>> sessions;
  int nextSession = 0;
};

Registry &registry() {
  static auto *const instance = new Registry;
  return *instance;
}

template <typename Choice>
std::vector<std::shared_ptr<Session>> sessionsWith(Choice &&choice) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  std::vector<std::shared_ptr<Session>> result;
  for (const auto &[handle, session] : all.sessions) {
    if (choice(*session)) result.push_back(session);
  }
  return result;
}

}  // namespace

int addOwner(std::unique_ptr<Owner> owner) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.owners.push_back(std::move(owner));
  return static_cast<int>(all.owners.size()) - 1;
}

Owner *ownerAt(int handle) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (handle < 0 || static_cast<std::size_t>(handle) >= all.owners.size()) return nullptr;
  return all.owners[static_cast<std::size_t>(handle)].get();
}

int addSession(const std::shared_ptr<Session> &session) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.sessions.emplace(all.nextSession, session);
  session->setHandle(all.nextSession);
  return all.nextSession++;
}

std::shared_ptr<Session> sessionAt(int handle) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.sessions.find(handle);
  return found == all.sessions.end() ? nullptr : found->second;
}

bool wasSession(int handle) {
  Registry &all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return handle >= 0 && handle < all.nextSession;
}

std::vector<std::shared_ptr<Session>> sessionsOf(int owner) {
  return sessionsWith([owner](const Session &session) { return session.ownerHandle() == owner; });
}

std::vector<std::shared_ptr<Session>> allSessions() {
  return sessionsWith([](const Session &) { return true; });
}

void forgetSession(int handle) {
  Registry &all = registry();
  std::shared_ptr<Session> last;  // destroyed after the lock is let go
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.sessions.find(handle);
  if (found == all.sessions.end()) return;
  last = std::move(found->second);
  all.sessions.erase(found);
}

}  // namespace qb
