#include "elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace qb {
namespace {

std::string machineName(unsigned machine) {
  switch (machine) {
    case EM_386: return "32-bit x86";
    case EM_ARM: return "32-bit ARM";
    case EM_AARCH64: return "ARM64 (aarch64)";
    case EM_MIPS: return "MIPS";
    case EM_RISCV: return "RISC-V";
    case EM_LOONGARCH: return "LoongArch";
    case EM_X86_64: return "x86-64";
    default: return "machine type " + std::to_string(machine);
  }
}

// dlopen maps what the program headers say; pages beyond the end of the file would kill the process with SIGBUS.
bool complete(int fd, const Elf64_Ehdr &header, std::uint64_t fileBytes) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (unsigned i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr part{};
    const auto at = static_cast<off_t>(header.e_phoff + i * sizeof part);
    if (::pread(fd, &part, sizeof part, at) != static_cast<ssize_t>(sizeof part)) return false;
    if (part.p_type == PT_LOAD && (part.p_offset > fileBytes || part.p_filesz > fileBytes - part.p_offset)) {
      return false;
    }
  }
  return true;
}

class File {
 public:
  explicit File(const char *path) : fd_(::open(path, O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string whyNotLoadable(const char *path) {
  File file(path);
  if (file.fd() < 0) {
    return errno == ENOENT ? "no such file" : std::string("cannot be opened: ") + std::strerror(errno);
  }
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return std::string("cannot be read: ") + std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "not a file";
  Elf64_Ehdr header{};
  const ssize_t bytes = ::read(file.fd(), &header, sizeof header);
  if (bytes < 0) return std::string("cannot be read: ") + std::strerror(errno);
  if (bytes < EI_NIDENT || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return "not a Linux shared library (no ELF header)";
  }
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return "built for a big-endian machine, x86-64 is needed";
  // e_type and e_machine lie at the same place in 32-bit and 64-bit files.
  if (bytes < static_cast<ssize_t>(offsetof(Elf64_Ehdr, e_version))) return "cut short (ELF header incomplete)";
  if (header.e_machine != EM_X86_64) {
    return "built for " + machineName(header.e_machine) + ", x86-64 is needed";
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return "built for 32-bit x86-64 (x32), x86-64 is needed";
  if (bytes < static_cast<ssize_t>(sizeof header)) return "cut short (ELF header incomplete)";
  if (header.e_type != ET_DYN) return "an ELF file, but not a shared library";
  if (!complete(file.fd(), header, static_cast<std::uint64_t>(status.st_size))) {
    return "cut short (the file is smaller than its headers say)";
  }
  return "";
}

}  // namespace qb
