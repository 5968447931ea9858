// One simulated file: durable 4 KiB pages under a volatile cache of 512-byte sectors. Internal.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/random.h"

namespace outcrop::io::sim {

inline constexpr std::size_t kSector = 512;
inline constexpr std::size_t kPage = 4096;
using Page = std::array<std::byte, kPage>;
/// Shared between clones of a world; written only while unshared. Null: zeros.
using PagePtr = std::shared_ptr<Page>;
using Ino = std::uint64_t;

/// Decides for each sector in turn whether it is part of the effect. Null: all are.
using SectorChoice = std::function<bool()>;

class FileData {
 public:
  std::uint64_t size() const { return x_size; }
  /// True if a power cut changes nothing.
  bool clean() const { return x_dirty.empty() && x_size == x_durable_size && x_cut == kNoCut; }
  std::size_t read(std::uint64_t offset, MutBytes out) const;
  /// Writes the chosen sectors, through to the durable pages if `durable`.
  void write(std::uint64_t offset, ConstBytes data, bool durable, const SectorChoice& choice);
  void truncate(std::uint64_t size);
  /// Durable at once, which a filesystem's need not be: page-aligned zeros either way.
  void punch(std::uint64_t offset, std::uint64_t length);
  /// Never punched since fill_zero().
  bool whole() const { return !x_punched; }
  /// Makes the chosen dirty sectors durable; with no choice also the size.
  void sync(const SectorChoice& choice);
  /// Durable zeros of `size` bytes; with a choice only the chosen pages, the size as it may be.
  void fill_zero(std::uint64_t size, const SectorChoice& choice);
  /// What a power cut leaves.
  void power_cut(Random& random);
  bool flip(std::uint64_t offset, std::uint64_t length);
  /// Pages that cannot be read: until they are written as a whole, or for ever.
  void make_unreadable(std::uint64_t offset, std::uint64_t length, bool heals);
  bool readable(std::uint64_t offset, std::uint64_t length) const;

 private:
  struct Dirty {
    PagePtr page;              // the whole current page
    std::uint8_t sectors = 0;  // which of it differ from the durable page
  };
  static constexpr std::uint64_t kNoCut = std::numeric_limits<std::uint64_t>::max();

  const Page* current(std::uint64_t index) const;
  const Page* durable(std::uint64_t index) const;
  Page& writable_durable(std::uint64_t index);
  Dirty& writable_dirty(std::uint64_t index);
  std::uint64_t write_page(std::uint64_t index,
                           std::size_t from,
                           ConstBytes data,
                           bool durable,
                           const SectorChoice& choice);
  void settle_cut();
  void settle_sectors(std::uint64_t index, const Dirty& dirty, std::uint8_t sectors);
  void trim(std::uint64_t size);

  std::uint64_t x_size = 0;          // as the process sees it
  std::uint64_t x_durable_size = 0;  // as a crash would find it
  std::uint64_t x_cut = kNoCut;      // page-aligned: durable pages from here on are truncated away
  bool x_punched = false;
  std::vector<PagePtr> x_pages;  // durable
  std::map<std::uint64_t, Dirty> x_dirty;
  std::map<std::uint64_t, bool> x_unreadable;  // by page: whether a write heals it
};

}  // namespace outcrop::io::sim
