// Libraries with the vendor's symbols that are odd before any session exists: in what they say of themselves, in what
// they export, in what they do while they are loaded or asked for a session. They give no session.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

#define VENDOR_API __attribute__((visibility("default")))

extern "C" void absent_function();

#ifdef ODD_OPENSSL
// A library's own copy of a function that Node exports under the same name.
extern "C" VENDOR_API const char *OpenSSL_version(int) { return "v6.7.13_20260225"; }
#endif

#ifdef ODD_STOCK_OPTIONS
namespace ctp_sopt {
#define ODD_BB
#endif

// What tells the callback order: the request class's vtable by its size alone, and a function that came with order B.
#ifdef ODD_VTABLE_BYTES
extern "C" VENDOR_API const char oddVtable[ODD_VTABLE_BYTES] __asm__("_ZTV15CThostFtdcMdApi");
const char oddVtable[ODD_VTABLE_BYTES] = {};
#endif
#ifdef ODD_MULTICAST
struct CThostFtdcQryMulticastInstrumentField;
class VENDOR_API CFtdcMdApiImpl {
 public:
  int ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField *query, int requestId);
};
int CFtdcMdApiImpl::ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField *, int) { return 0; }
#endif

class VENDOR_API CThostFtdcMdApi {
 public:
#if defined(ODD_BBB)
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp, bool multicast, bool production);
#elif defined(ODD_BB)
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp, bool multicast);
#else
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp);
#endif
#ifdef ODD_VERSION
  static const char *GetApiVersion();
#endif
};

namespace {

#ifdef ODD_PRINTS
// The library's first words, by each of the ways to standard output; the last line is GB18030.
void print(const char *when) {
  std::printf("printed %s\n", when);
  std::fprintf(stderr, "complained %s\n", when);
  const char text[] = "\xb2\xbb\xba\xcf\xb7\xa8\n";
  if (::write(STDOUT_FILENO, text, sizeof text - 1) < 0) std::perror("write");
  std::printf("without an end");
}
struct Printing {
  Printing() { print("while loaded"); }
} printing;
#endif

// Leaves a file in the flow folder, notes it where ODD_MARKS says, and never returns.
[[maybe_unused]] void hang(const char *path) {
  if (std::FILE *flow = std::fopen((std::string(path) + "DialogRsp.con").c_str(), "w")) std::fclose(flow);
  if (const char *marks = std::getenv("ODD_MARKS")) {
    if (std::FILE *file = std::fopen(marks, "a")) {
      std::fprintf(file, "%s\n", path);
      std::fclose(file);
    }
  }
  for (;;) ::pause();
}

CThostFtdcMdApi *create([[maybe_unused]] const char *path) {
#ifdef ODD_AT_CREATE
  ODD_AT_CREATE;
#endif
#ifdef ODD_PRINTS
  for (int i = 0; i < 100000; i++) std::printf(" %d: so much that nobody could read it in time\n", i);
#endif
  return nullptr;
}

#ifdef ODD_AT_LOAD
struct AtLoad {
  AtLoad() { ODD_AT_LOAD; }
} atLoad;
#endif

}  // namespace

#if defined(ODD_BBB)
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool, bool, bool) { return create(path); }
#elif defined(ODD_BB)
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool, bool) { return create(path); }
#else
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool) { return create(path); }
#endif
#ifdef ODD_VERSION
const char *CThostFtdcMdApi::GetApiVersion() { return ODD_VERSION; }
#endif

#ifdef ODD_STOCK_OPTIONS
}  // namespace ctp_sopt
#endif
