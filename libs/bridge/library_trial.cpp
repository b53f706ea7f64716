// The process in which a library is tried out, see trial.h. Its arguments are the library's path and a folder for
// flow files, which the parent process removes.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trial.h"
#include "vendor_symbols.h"

namespace {

void report(qb::TrialStep step) {
  const char text = static_cast<char>(step);
  if (::write(qb::trialReportFd, &text, 1) != 1) ::_exit(EXIT_FAILURE);
}

// Calls the library; an exception is an answer, not a crash.
template <typename Call>
void tolerating(Call &&call) {
  try {
    call();
  } catch (...) {
    return;
  }
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) return EXIT_FAILURE;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a library that hangs does not outlive the gateway
  const rlimit noCore{0, 0};
  ::setrlimit(RLIMIT_CORE, &noCore);
  report(qb::TrialStep::loading);
  const qb::LoadedModule module = qb::loadLibrary(arguments[1], qb::identityOf(arguments[1]));
  if (module.handle != nullptr) {
    const qb::VendorSymbols symbols = qb::findSymbols(module.handle);
    report(qb::TrialStep::version);
    if (symbols.getVersion != nullptr) tolerating([&] { symbols.getVersion(); });
    report(qb::TrialStep::session);
    tolerating([&] { qb::callFactory(symbols.exports.factory, symbols.create, arguments[2], true); });
  }
  report(qb::TrialStep::passed);
  // The library's own threads and destructors are not waited for.
  ::_exit(EXIT_SUCCESS);
}
