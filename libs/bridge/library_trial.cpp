// The process in which a library is tried out, see trial.h. Its argument is the library's path.
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

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

// One session in a folder that is removed again.
void makeSession(const qb::VendorSymbols &symbols) {
  char folder[] = "/tmp/qactpmd-trial-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return;
  tolerating([&] { qb::callFactory(symbols.factory, symbols.create, (std::string(folder) + "/").c_str(), true); });
  std::error_code ignored;  // a left-over folder does not speak against the library
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 2) return EXIT_FAILURE;
  const rlimit noCore{0, 0};
  ::setrlimit(RLIMIT_CORE, &noCore);
  report(qb::TrialStep::loading);
  if (void *module = ::dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL); module != nullptr) {
    const qb::VendorSymbols symbols = qb::findSymbols(module);
    report(qb::TrialStep::version);
    if (symbols.getVersion != nullptr) tolerating([&] { symbols.getVersion(); });
    report(qb::TrialStep::session);
    makeSession(symbols);
  }
  report(qb::TrialStep::passed);
  // The library's own threads and destructors are not waited for.
  ::_exit(EXIT_SUCCESS);
}
