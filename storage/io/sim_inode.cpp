#include "storage/io/sim_inode.h"

#include <algorithm>
#include <cstring>

namespace outcrop::io::sim {
namespace {

constexpr std::size_t kSectorsPerPage = kPage / kSector;

bool chosen(const SectorChoice& choice) { return !choice || choice(); }
std::uint8_t bit(std::size_t sector) { return static_cast<std::uint8_t>(1U << sector); }

/// The page for writing: made, or copied when a clone shares it.
Page& own(PagePtr& page) {
  if (!page) {
    page = std::make_shared<Page>();
  } else if (page.use_count() > 1) {
    page = std::make_shared<Page>(*page);
  }
  return *page;
}

}  // namespace

const Page* FileData::durable(std::uint64_t index) const {
  return index < x_pages.size() ? x_pages[index].get() : nullptr;
}

const Page* FileData::current(std::uint64_t index) const {
  if (const auto it = x_dirty.find(index); it != x_dirty.end()) {
    return it->second.page.get();
  }
  return index * kPage < x_cut ? durable(index) : nullptr;
}

Page& FileData::writable_durable(std::uint64_t index) {
  if (index >= x_pages.size()) {
    x_pages.resize(index + 1);
  }
  return own(x_pages[index]);
}

FileData::Dirty& FileData::writable_dirty(std::uint64_t index) {
  const auto [it, fresh] = x_dirty.try_emplace(index);
  if (fresh) {
    const Page* base = index * kPage < x_cut ? durable(index) : nullptr;
    it->second.page = base != nullptr ? std::make_shared<Page>(*base) : std::make_shared<Page>();
  }
  own(it->second.page);
  return it->second;
}

std::size_t FileData::read(std::uint64_t offset, MutBytes out) const {
  if (offset >= x_size) {
    return 0;
  }
  const auto total = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), x_size - offset));
  for (std::size_t done = 0; done < total;) {
    const std::uint64_t at = offset + done;
    const std::size_t within = at % kPage;
    const std::size_t n = std::min(kPage - within, total - done);
    if (const Page* page = current(at / kPage); page != nullptr) {
      std::memcpy(out.data() + done, page->data() + within, n);
    } else {
      std::memset(out.data() + done, 0, n);
    }
    done += n;
  }
  return total;
}

void FileData::write(std::uint64_t offset,
                     ConstBytes data,
                     bool durable,
                     const SectorChoice& choice) {
  if (durable) {
    settle_cut();
  }
  std::erase_if(x_unreadable, [&](const auto& page) {
    const std::uint64_t from = page.first * kPage;
    return page.second && offset <= from && from + kPage <= offset + data.size();
  });
  std::uint64_t end = 0;
  while (!data.empty()) {
    const std::size_t within = offset % kPage;
    const std::size_t n = std::min(kPage - within, data.size());
    end = std::max(end, write_page(offset / kPage, within, data.first(n), durable, choice));
    data = data.subspan(n);
    offset += n;
  }
  x_size = std::max(x_size, end);
  if (durable) {
    x_durable_size = std::max(x_durable_size, end);
  }
}

/// Returns the end of the last sector written, as an offset in the file; 0 if there was none.
std::uint64_t FileData::write_page(std::uint64_t index,
                                   std::size_t from,
                                   ConstBytes data,
                                   bool durable,
                                   const SectorChoice& choice) {
  std::uint64_t end = 0;
  const std::size_t to = from + data.size();
  // A durable write goes through a cached page if there is one, for that one is what reads see.
  Dirty* dirty = !durable || x_dirty.contains(index) ? &writable_dirty(index) : nullptr;
  std::uint8_t written = 0;
  for (std::size_t s = from / kSector; s * kSector < to; ++s) {
    if (!chosen(choice)) {
      continue;
    }
    const std::size_t a = std::max(from, s * kSector);
    const std::size_t b = std::min(to, (s + 1) * kSector);
    Page& page = dirty != nullptr ? *dirty->page : writable_durable(index);
    std::memcpy(page.data() + a, data.data() + (a - from), b - a);
    end = index * kPage + b;
    written |= bit(s);
  }
  if (dirty != nullptr && !durable) {
    dirty->sectors |= written;
  } else if (dirty != nullptr) {
    settle_sectors(index, *dirty, written);
    dirty->sectors &= static_cast<std::uint8_t>(~written);
  }
  if (dirty != nullptr && dirty->sectors == 0) {
    x_dirty.erase(index);
  }
  return end;
}

void FileData::settle_sectors(std::uint64_t index, const Dirty& dirty, std::uint8_t sectors) {
  if (sectors == 0xff) {
    if (index >= x_pages.size()) {
      x_pages.resize(index + 1);
    }
    x_pages[index] = dirty.page;
    return;
  }
  Page& page = writable_durable(index);
  for (std::size_t s = 0; s < kSectorsPerPage; ++s) {
    if ((sectors & bit(s)) != 0) {
      std::memcpy(page.data() + s * kSector, dirty.page->data() + s * kSector, kSector);
    }
  }
}

void FileData::truncate(std::uint64_t size) {
  if (size < x_size) {
    const std::uint64_t boundary = align_up(size, kPage);
    if (size != boundary) {
      const std::size_t keep = size % kPage;
      Dirty& dirty = writable_dirty(size / kPage);
      std::memset(dirty.page->data() + keep, 0, kPage - keep);
      for (std::size_t s = keep / kSector; s < kSectorsPerPage; ++s) {
        dirty.sectors |= bit(s);
      }
    }
    x_dirty.erase(x_dirty.lower_bound(boundary / kPage), x_dirty.end());
    x_cut = std::min(x_cut, boundary);
  }
  x_size = size;
}

void FileData::punch(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t first = offset / kPage, last = (offset + length) / kPage;
  x_dirty.erase(x_dirty.lower_bound(first), x_dirty.lower_bound(last));
  for (std::uint64_t i = first; i < std::min<std::uint64_t>(last, x_pages.size()); ++i) {
    x_pages[i].reset();
  }
  x_punched = true;
}

void FileData::settle_cut() {
  if (x_cut == kNoCut) {
    return;
  }
  if (x_pages.size() > x_cut / kPage) {
    x_pages.resize(x_cut / kPage);
  }
  x_durable_size = std::min({x_durable_size, x_cut, x_size});
  x_cut = kNoCut;
}

void FileData::sync(const SectorChoice& choice) {
  settle_cut();
  for (auto it = x_dirty.begin(); it != x_dirty.end();) {
    std::uint8_t sectors = 0;
    for (std::size_t s = 0; s < kSectorsPerPage; ++s) {
      if ((it->second.sectors & bit(s)) != 0 && chosen(choice)) {
        sectors |= bit(s);
      }
    }
    if (sectors == it->second.sectors) {
      // Clean sectors equal the durable ones: the whole page moves over.
      settle_sectors(it->first, it->second, 0xff);
      it = x_dirty.erase(it);
    } else {
      settle_sectors(it->first, it->second, sectors);
      it->second.sectors &= static_cast<std::uint8_t>(~sectors);
      ++it;
    }
  }
  if (!choice) {
    x_durable_size = x_size;
    trim(x_size);
  }
}

void FileData::fill_zero(std::uint64_t size, const SectorChoice& choice) {
  if (!choice) {
    *this = FileData{};
    x_size = x_durable_size = size;
    return;
  }
  sync(nullptr);
  for (PagePtr& page : x_pages) {
    if (choice()) {
      page.reset();
    }
  }
  if (choice()) {
    trim(size);
    x_size = x_durable_size = size;
  }
}

void FileData::power_cut(Random& random) {
  if (x_cut != kNoCut && random.next() % 2 == 0) {
    settle_cut();
  }
  x_cut = kNoCut;
  std::uint64_t size = x_durable_size;
  if (x_size > x_durable_size) {
    const std::uint64_t pick = random.next() % 4;
    const std::uint64_t grown = x_size - x_durable_size;
    size = pick == 0 ? x_durable_size : pick == 1 ? x_durable_size + random.next() % grown : x_size;
  }
  const std::uint64_t mode = random.next() % 4;  // none, all, or each sector for itself
  for (const auto& [index, dirty] : x_dirty) {
    const auto coin = static_cast<std::uint8_t>(random.next());
    const std::uint8_t kept = mode == 0 ? 0 : mode == 1 ? 0xff : coin;
    if (index * kPage < size) {
      settle_sectors(index, dirty, dirty.sectors & kept);
    }
  }
  x_dirty.clear();
  x_size = x_durable_size = size;
  trim(size);
}

/// Bytes beyond the end are gone for good: a file that grows again has zeros there.
void FileData::trim(std::uint64_t size) {
  const std::uint64_t pages = align_up(size, kPage) / kPage;
  if (x_pages.size() > pages) {
    x_pages.resize(pages);
  }
  if (size % kPage != 0 && x_pages.size() == pages && x_pages.back()) {
    const std::size_t keep = size % kPage;
    Page& last = own(x_pages.back());
    std::memset(last.data() + keep, 0, kPage - keep);
  }
}

bool FileData::flip(std::uint64_t offset, std::uint64_t length) {
  if (length == 0 || offset + length > x_size) {
    return false;
  }
  const auto invert = [&](Page& page, std::uint64_t index) {
    const std::uint64_t base = index * kPage;
    const std::uint64_t a = std::max(offset, base);
    const std::uint64_t b = std::min(offset + length, base + kPage);
    for (std::uint64_t i = a; i < b; ++i) {
      page[i - base] ^= std::byte{0xff};
    }
  };
  for (std::uint64_t index = offset / kPage; index * kPage < offset + length; ++index) {
    invert(writable_durable(index), index);
    if (x_dirty.contains(index)) {
      invert(*writable_dirty(index).page, index);
    }
  }
  return true;
}

void FileData::make_unreadable(std::uint64_t offset, std::uint64_t length, bool heals) {
  for (std::uint64_t page = offset / kPage; page * kPage < offset + length; ++page) {
    x_unreadable[page] = heals;
  }
}

bool FileData::readable(std::uint64_t offset, std::uint64_t length) const {
  const auto page = x_unreadable.lower_bound(offset / kPage);
  return page == x_unreadable.end() || page->first * kPage >= offset + length;
}

}  // namespace outcrop::io::sim
