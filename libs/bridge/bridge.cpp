// The bridge's C interface, called through koffi (src/ring/native.ts, src/ctp/bridge.ts).
//
// Objects are named by small numbers that are never used twice. Functions return 0 or a number when all is
// well and a negative code otherwise (session.h); where a text helps, it goes into the caller's buffer. No
// exception leaves. Every function may be called from any thread.
//
// Shared memory that is handed in must outlive its use: an owner's until qb_owner_close has returned, a
// session's until its `released` event or until its close has returned.
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "library.h"
#include "owner.h"
#include "registry.h"
#include "releaser.h"
#include "session.h"
#include "standard_output.h"
#include "trial.h"

#define QB_API extern "C" __attribute__((visibility("default")))

namespace qb {
namespace {

constexpr int interfaceVersion = 8;

void giveText(const std::string &text, char *buffer, int bytes) noexcept {
  if (buffer == nullptr || bytes <= 0) return;
  const std::size_t length = text.size() < static_cast<std::size_t>(bytes) - 1 ? text.size() : bytes - 1;
  std::memcpy(buffer, text.data(), length);
  buffer[length] = '\0';
}

template <typename Call>
int safely(char *error, int errorBytes, Call &&call) noexcept {
  try {
    return call();
  } catch (const std::exception &thrown) {
    giveText(thrown.what(), error, errorBytes);
  } catch (...) {
    giveText("unknown exception", error, errorBytes);
  }
  return noMemory;
}

template <typename Call>
int onSession(int handle, Call &&call) noexcept {
  const std::shared_ptr<Session> session = sessionAt(handle);
  if (session != nullptr) return call(*session);
  return wasSession(handle) ? sessionClosed : badArgument;
}

}  // namespace
}  // namespace qb

using namespace qb;

// Grows when a function or a layout changes, so that a stale build is noticed.
QB_API int qb_interface_version() { return interfaceVersion; }

// ---- standard output

// 0, or -1 if the process has no descriptors left.
QB_API int qb_stdout_divert(int *original, int *printed) {
  Diversion diversion;
  if (!divertStandardOutput(diversion)) return -1;
  *original = diversion.original;
  *printed = diversion.printed;
  return 0;
}

// Ends the process without waiting for its threads, of which one may be inside the vendor's library forever.
QB_API void qb_end_process(int code) {
  restoreStandardOutput();
  ::_exit(code);
}

// ---- doorbells

QB_API int qb_eventfd_open() { return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

QB_API void qb_eventfd_drain(int fd) {
  std::uint64_t count;
  while (::read(fd, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

QB_API void qb_eventfd_close(int fd) { ::close(fd); }

// Rings as a writer would: for readers' tests and for waking a reader from JS.
QB_API void qb_doorbell_ring(void *memory, int eventFd) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  Doorbell(memory, eventFd).ring();
}

// ---- owners: where events go

QB_API int qb_owner_open(void *ring, int ringBytes, void *doorbell, int eventFd) {
  return safely(nullptr, 0, [&] {
    auto owner = std::make_unique<Owner>();
    if (!owner->attach(ring, static_cast<std::size_t>(ringBytes), doorbell, eventFd)) return badArgument;
    return addOwner(std::move(owner));
  });
}

// Closes every session of the owner and lets go of its ring and doorbell: they are not touched after the
// return. For a worker that ended, in whatever way.
QB_API int qb_owner_close(int handle) {
  return safely(nullptr, 0, [&] {
    Owner *owner = ownerAt(handle);
    if (owner == nullptr) return badArgument;
    owner->detach();
    for (const auto &session : sessionsOf(handle)) session->close();
    return 0;
  });
}

// Sessions of the owner that are not yet released.
QB_API int qb_owner_unreleased(int handle) {
  return safely(nullptr, 0, [&] {
    int count = 0;
    for (const auto &session : sessionsOf(handle)) count += session->released() ? 0 : 1;
    return count;
  });
}

// The same for one connection.
QB_API int qb_owner_unreleased_of(int handle, int connection) {
  return safely(nullptr, 0, [&] {
    int count = 0;
    for (const auto &session : sessionsOf(handle)) count += session->connection() != connection || session->released() ? 0 : 1;
    return count;
  });
}

// Lets go of the owner's ring and doorbell, as qb_owner_close does, and leaves its sessions as they are: silent, for the
// end of the process.
QB_API int qb_owner_detach(int handle) {
  return safely(nullptr, 0, [&] {
    Owner *owner = ownerAt(handle);
    if (owner == nullptr) return badArgument;
    owner->detach();
    return 0;
  });
}

// Closes the sessions of one connection, for a worker that cannot do it.
QB_API int qb_owner_close_connection(int handle, int connection) {
  return safely(nullptr, 0, [&] {
    for (const auto &session : sessionsOf(handle)) {
      if (session->connection() == connection) session->close();
    }
    return 0;
  });
}

// For a worker that hangs: 1 if the connection has a session and no call into the library is under way for it, else 0.
QB_API int qb_owner_connection_idle(int handle, int connection) {
  return safely(nullptr, 0, [&] {
    int idle = 0;
    for (const auto &session : sessionsOf(handle)) {
      if (session->connection() != connection || session->released()) continue;
      if (session->isCalling()) return 0;
      idle = 1;
    }
    return idle;
  });
}

// ---- libraries

// 1 while qb_library_open would have to wait for the trial of this library, which is begun if it has had none; else 0.
QB_API int qb_library_under_trial(const char *path) {
  return safely(nullptr, 0, [&] { return libraryUnderTrial(path) ? 1 : 0; });
}

// `version`: what the user says it is, empty otherwise. Waits for the library's trial.
QB_API int qb_library_open(const char *path, const char *version, int production, char *error, int errorBytes) {
  return safely(error, errorBytes, [&] {
    std::string reason;
    int handle = -1;
    const LibraryOptions options{version == nullptr ? "" : version, production != 0};
    if (openLibrary(path, options, reason, handle) == nullptr) {
      giveText(reason, error, errorBytes);
    }
    return handle;
  });
}

QB_API int qb_library_describe(int handle, char *version, int versionBytes, char *warning, int warningBytes) {
  return safely(nullptr, 0, [&] {
    const Library *library = libraryAt(handle);
    if (library == nullptr) return badArgument;
    giveText(library->version, version, versionBytes);
    giveText(library->warning, warning, warningBytes);
    return 0;
  });
}

// What can be said of a library without a session, as lines of a name, a tab and a value; loads it without a trial. For a
// process that may crash of it.
QB_API int qb_library_examine(const char *path, const char *version, char *facts, int factsBytes) {
  return safely(facts, factsBytes, [&] {
    const LibraryFacts found = examineLibrary(path, version == nullptr ? "" : version);
    std::string text;
    const auto add = [&](const char *name, std::string value) {
      for (char &c : value) c = c == '\n' || c == '\t' ? ' ' : c;
      text += std::string(name) + '\t' + value + '\n';
    };
    const bool understood = found.choice.layout != nullptr;
    add("loaded", found.loaded ? "1" : "0");
    add("tells_version", found.tellsVersion ? "1" : "0");
    add("version", found.version);
    add("factory", nameOf(found.exports.factory));
    add("request_class_bytes", std::to_string(found.exports.requestClassBytes));
    add("multicast_query", found.exports.multicastQuery ? "1" : "0");
    add("order", understood ? nameOf(found.choice.abi) : "");
    add("evidence", found.choice.evidence);
    add("longest_id", understood ? std::to_string(found.choice.layout->answerInstrument.bytes - 1) : "");
    add("warning", found.warning);
    add("refusal", found.refusal);
    giveText(text, facts, factsBytes);
    return 0;
  });
}

// Characters of the longest instrument id that the library's structs hold; longer ones come back cut off.
QB_API int qb_library_longest_id(int handle) {
  return safely(nullptr, 0, [&] {
    const Library *library = libraryAt(handle);
    return library == nullptr ? badArgument : static_cast<int>(library->layout->answerInstrument.bytes) - 1;
  });
}

// ---- sessions

QB_API int qb_session_create(int owner, int library, int connection, const char *flowFolder, void *ring,
                             int ringBytes, char *error, int errorBytes) {
  return safely(error, errorBytes, [&] {
    Owner *target = ownerAt(owner);
    const Library *opened = libraryAt(library);
    if (target == nullptr || opened == nullptr) {
      giveText("no such owner or library", error, errorBytes);
      return badArgument;
    }
    const auto session = std::make_shared<Session>(target, owner, opened, connection);
    std::string reason;
    if (!session->create(flowFolder, ring, static_cast<std::size_t>(ringBytes), reason)) {
      giveText(reason, error, errorBytes);
      return vendorThrew;
    }
    return addSession(session);
  });
}

QB_API int qb_session_add_doorbell(int handle, void *memory, int eventFd) {
  return onSession(handle, [&](Session &session) { return session.addDoorbell(memory, eventFd); });
}

QB_API int qb_session_register_front(int handle, const char *address) {
  return onSession(handle, [&](Session &session) { return session.registerFront(address); });
}

QB_API int qb_session_init(int handle) {
  return onSession(handle, [](Session &session) { return session.init(); });
}

QB_API int qb_session_login(int handle, const char *broker, const char *user, const char *password,
                            int requestId) {
  return onSession(handle,
                   [&](Session &session) { return session.login(broker, user, password, requestId); });
}

QB_API int qb_session_subscribe(int handle, const char *ids, int bytes, const std::int32_t *slots, int count) {
  return onSession(handle, [&](Session &session) {
    return session.subscribe(ids, static_cast<std::size_t>(bytes), slots, count);
  });
}

QB_API int qb_session_unsubscribe(int handle, const char *ids, int bytes, int count) {
  return onSession(handle, [&](Session &session) {
    return session.unsubscribe(ids, static_cast<std::size_t>(bytes), count);
  });
}

// yyyymmdd, 0 unknown, -1 malformed. Right only after a login.
QB_API int qb_session_trading_day(int handle) {
  return onSession(handle, [](Session &session) { return session.tradingDay(); });
}

// For a reader that lost events: 1 if the library's last word was that the front is connected, else 0;
// sessionClosed once the session is released.
QB_API int qb_session_front_up(int handle) {
  return onSession(handle, [](Session &session) {
    if (session.released()) return sessionClosed;
    return session.frontUp() ? 1 : 0;
  });
}

// Subscriptions that the front confirmed.
QB_API int qb_session_acknowledged(int handle) {
  return onSession(handle, [](Session &session) { return static_cast<int>(session.acknowledged()); });
}

// Refused subscriptions that found no place in the event ring. Grows after the ring's own count of lost events.
QB_API int qb_session_refusals_lost(int handle) {
  return onSession(handle, [](Session &session) { return static_cast<int>(session.refusalsLost()); });
}

// No callback writes anything after the return; `released` follows once the library let go.
QB_API int qb_session_close(int handle) {
  return onSession(handle, [](Session &session) { return session.close(); });
}

// How long a release may take before the next one begins beside it, in ms.
QB_API void qb_limit_release(int ms) { limitRelease(ms); }

// 1: no release begins any more until it is 0 again.
QB_API void qb_hold_releases(int hold) { holdReleases(hold != 0); }

// For the end of the process: no trial continues, and no callback of any session does anything any more.
QB_API void qb_silence_all() {
  safely(nullptr, 0, [] {
    abandonTrials();
    for (const auto &session : allSessions()) session->silence();
    return 0;
  });
}
