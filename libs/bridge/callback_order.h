// In which order a library calls its Spi. A wrong order crashes the process or loses every tick, so it comes from what the
// library exports; its version text is asked only where nothing of it is exported.
#pragma once

#include <cstddef>
#include <string>

#include "version_text.h"

namespace qb {

// Which factory a library exports, by its flags: (udp), (udp, multicast), (udp, multicast, production).
enum class Factory { none, b, bb, bbb };

// Which orders of the vendor's two classes: 2013; A up to the first builds of 2019; B after them.
enum class Abi { year2013, a, b };

// What a library exports of the vendor's interface.
struct Exports {
  Factory factory = Factory::none;
  std::size_t requestClassBytes = 0;  // size of CThostFtdcMdApi's vtable with its two leading words; 0: not exported
  bool multicastQuery = false;        // CFtdcMdApiImpl::ReqQryMulticastInstrument, which came with order B
  bool stockOptions = false;          // the factory is in the namespace of the vendor's other product
};

// What is said of a library's version, by itself or by the user.
struct SaidVersion {
  bool isYear2013 = false;
  VersionText text;
};

struct OrderChoice {
  bool known = false;
  bool exported = false;  // it is what the library exports that tells
  Abi abi = Abi::b;
  std::string evidence;  // how it was told
  std::string text;      // why the library is refused, or a warning
};

const char *nameOf(Abi abi);

// Why no session of such a library can work, whatever its version; empty otherwise.
std::string whyNoOrder(const Exports &exports);

OrderChoice chooseOrder(const Exports &exports, const SaidVersion &said);

}  // namespace qb
