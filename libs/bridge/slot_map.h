// Instrument id → slot, of one session. The connection worker writes; the vendor's thread reads without a lock
// on every tick.
//
// An open-addressed table of fixed entries. An entry's id is written once, before its hash is published, and
// never changes; only its slot does (-1: not subscribed any more). A full table is replaced by one of a size that
// fits what is subscribed. The old one is freed as soon as no reader can be in it: a reader counts itself in before it
// loads the table, and the writer looks at the count after it has stored the new one.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace qb {

class SlotMap {
 public:
  static constexpr std::int32_t noSlot = -1;
  static constexpr std::size_t maxIdBytes = 80;
  static constexpr std::uint32_t smallest = 256;

  SlotMap() { grow(smallest); }

  // The vendor's thread. `id` need not end with a NUL.
  std::int32_t find(const char *id, std::size_t bytes) const noexcept {
    readers_.fetch_add(1, std::memory_order_seq_cst);
    const std::int32_t slot = findIn(*table_.load(std::memory_order_seq_cst), id, bytes);
    readers_.fetch_sub(1, std::memory_order_release);
    return slot;
  }

  // Entries of all tables. The writer's side.
  std::size_t entries() const noexcept {
    std::size_t all = 0;
    for (const auto &table : tables_) all += table->mask + 1;
    return all;
  }

  // The writer's side; calls are serialised by the session's lock. Throws std::bad_alloc.
  void set(const char *id, std::size_t bytes, std::int32_t slot) {
    if (Entry *entry = locate(id, bytes)) {
      entry->slot.store(slot, std::memory_order_relaxed);
      return;
    }
    if (slot == noSlot) return;
    Table *table = tables_.back().get();
    // At most half full, so that a probe for an unknown id ends soon.
    if ((table->used + 1) * 2 > table->mask + 1) table = grow(sizeFor(*table));
    insert(*table, id, bytes, slot);
  }

 private:
  struct Entry {
    std::atomic<std::uint32_t> hash{0};
    std::atomic<std::int32_t> slot{noSlot};
    std::uint32_t bytes = 0;
    char id[maxIdBytes + 4] = {};
  };
  struct Table {
    explicit Table(std::uint32_t size) : mask(size - 1), entries(new Entry[size]) {}
    const std::uint32_t mask;
    std::uint32_t used = 0;
    std::unique_ptr<Entry[]> entries;
  };

  static std::uint32_t hashOf(const char *id, std::size_t bytes) noexcept {
    std::uint32_t hash = 2166136261u;  // FNV-1a
    for (std::size_t i = 0; i < bytes; i++) hash = (hash ^ static_cast<unsigned char>(id[i])) * 16777619u;
    return hash == 0 ? 1 : hash;
  }

  static std::int32_t findIn(const Table &table, const char *id, std::size_t bytes) noexcept {
    const std::uint32_t hash = hashOf(id, bytes);
    for (std::uint32_t i = hash & table.mask;; i = (i + 1) & table.mask) {
      const Entry &entry = table.entries[i];
      const std::uint32_t found = entry.hash.load(std::memory_order_acquire);
      if (found == 0) return noSlot;
      if (found == hash && entry.bytes == bytes && std::memcmp(entry.id, id, bytes) == 0) {
        return entry.slot.load(std::memory_order_relaxed);
      }
    }
  }

  // At most a quarter full with what is subscribed, so that there is as much room again before the next one.
  static std::uint32_t sizeFor(const Table &table) noexcept {
    std::uint32_t live = 0;
    for (std::uint32_t i = 0; i <= table.mask; i++) {
      if (table.entries[i].slot.load(std::memory_order_relaxed) != noSlot) live++;
    }
    std::uint32_t size = smallest;
    while (size < 4 * (live + 1)) size *= 2;
    return size;
  }

  static void insert(Table &table, const char *id, std::size_t bytes, std::int32_t slot) noexcept {
    const std::uint32_t hash = hashOf(id, bytes);
    std::uint32_t i = hash & table.mask;
    while (table.entries[i].hash.load(std::memory_order_relaxed) != 0) i = (i + 1) & table.mask;
    Entry &entry = table.entries[i];
    std::memcpy(entry.id, id, bytes);
    entry.bytes = static_cast<std::uint32_t>(bytes);
    entry.slot.store(slot, std::memory_order_relaxed);
    entry.hash.store(hash, std::memory_order_release);
    table.used++;
  }

  Entry *locate(const char *id, std::size_t bytes) const noexcept {
    const Table &table = *tables_.back();
    const std::uint32_t hash = hashOf(id, bytes);
    for (std::uint32_t i = hash & table.mask;; i = (i + 1) & table.mask) {
      Entry &entry = table.entries[i];
      const std::uint32_t found = entry.hash.load(std::memory_order_relaxed);
      if (found == 0) return nullptr;
      if (found == hash && entry.bytes == bytes && std::memcmp(entry.id, id, bytes) == 0) return &entry;
    }
  }

  // Ids that are no longer subscribed are left behind.
  Table *grow(std::uint32_t size) {
    tables_.reserve(tables_.size() + 1);
    auto table = std::make_unique<Table>(size);
    if (!tables_.empty()) {
      const Table &old = *tables_.back();
      for (std::uint32_t i = 0; i <= old.mask; i++) {
        const Entry &entry = old.entries[i];
        const std::int32_t slot = entry.slot.load(std::memory_order_relaxed);
        if (slot != noSlot) insert(*table, entry.id, entry.bytes, slot);
      }
    }
    Table *result = table.get();
    tables_.push_back(std::move(table));
    table_.store(result, std::memory_order_seq_cst);
    // Whoever counts in from now on finds the new one; while somebody is in, the old ones wait for the next time.
    if (readers_.load(std::memory_order_seq_cst) == 0) tables_.erase(tables_.begin(), tables_.end() - 1);
    return result;
  }

  std::atomic<const Table *> table_{nullptr};
  mutable std::atomic<std::uint32_t> readers_{0};
  std::vector<std::unique_ptr<Table>> tables_;
};

}  // namespace qb
