#pragma once

#include <string>

#include "vendor_api.h"
#include "versions.h"

namespace qb {

// What the user says about a library.
struct LibraryOptions {
  std::string version;     // empty: as it says itself
  bool production = true;  // false: for evaluation back ends; only the newest generation can choose
};

// One vendor library under one set of options, opened once per process and never closed.
struct Library {
  std::string path;  // resolved
  LibraryOptions options;
  std::string version;
  std::string warning;  // empty if the version is a verified one
  const Layout *layout = nullptr;
  Factory factory = Factory::none;
  void *create = nullptr;

  // An empty one if the library gives none. May throw whatever the vendor throws.
  VendorApi createApi(const char *flowPath) const;
};

// Starts the trial of the library at this path if it needs one. True while openLibrary() would have to wait for it.
bool libraryUnderTrial(const char *path);
// The library at this path, opened on first use. Null with the reason in `error`.
const Library *openLibrary(const char *path, const LibraryOptions &options, std::string &error, int &handle);
const Library *libraryAt(int handle);

}  // namespace qb
