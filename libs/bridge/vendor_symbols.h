// What a loaded library exports of the vendor's interface.
#pragma once

#include <string>

#include "versions.h"

namespace qb {

struct VendorSymbols {
  Factory factory = Factory::none;
  void *create = nullptr;
  vendor::GetVersion getVersion = nullptr;
  bool stockOptions = false;  // it is the vendor's other product, by its namespace
};

// Loads a library so that it finds its own symbols first: Node exports thousands, all of OpenSSL's among them, which a
// library that brings its own OpenSSL would be bound to otherwise. Null as dlopen says.
void *loadLibrary(const char *path);

VendorSymbols findSymbols(void *module);

// Calls the factory: TCP fronts only. May throw whatever the vendor throws.
void *callFactory(Factory factory, void *create, const char *flowPath, bool production);

}  // namespace qb
