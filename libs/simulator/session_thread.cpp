#include "session_thread.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "generator_link.h"
#include "tcp_link.h"

namespace sim {
namespace {

/** "0" makes Release return without waiting for the API thread; which of the two the vendor does is not known. */
constexpr char releaseJoinsVariable[] = "QACTPMD_SIM_RELEASE_JOINS";

void runSession(const std::shared_ptr<Session>& session) {
    const std::vector<std::string> fronts = session->fronts();
    const auto generator = std::find_if(fronts.begin(), fronts.end(), isGeneratorAddress);
    if (generator != fronts.end()) runGenerator(*session, *generator);
    else runTcp(*session);
    if (session->isConnected()) session->released();
    session->threadEnds();
}

}  // namespace

void SessionThread::begin(const std::shared_ptr<Session>& session) {
    if (thread_.joinable()) return;
    session->threadBegins();
    thread_ = std::thread([session] { runSession(session); });
}

void SessionThread::end(Session& session) {
    session.stop();
    if (!thread_.joinable()) return;
    const char* joins = std::getenv(releaseJoinsVariable);
    const bool detached = joins != nullptr && std::strcmp(joins, "0") == 0;
    if (detached || thread_.get_id() == std::this_thread::get_id()) thread_.detach();
    else thread_.join();
}

}  // namespace sim
