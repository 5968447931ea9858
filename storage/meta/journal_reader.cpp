#include "storage/meta/journal_reader.h"

#include "storage/base/log.h"

namespace outcrop::meta {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;

}  // namespace

// The file in memory; pieces that cannot be read are zeros.
Result<Buffer> JournalReader::read_all(drives::Slot slot, io::File& file, std::string_view what) {
  TRY(const std::uint64_t size, file.size());
  Buffer all = Buffer::zeroed(static_cast<std::size_t>(align_down(size, kIoAlign)));
  for (std::size_t at = 0; at < all.size(); at += kReadBytes) {
    const std::size_t n = std::min(kReadBytes, all.size() - at);
    if (auto got = file.read_sync(at, all.writable().subspan(at, n)); !got) {
      std::memset(all.data() + at, 0, n);
      x_failing.insert(slot);
      log::warn("a piece of the journal is unreadable, its copies serve",
                {{"file", what}, {"error", got.error().describe()}});
    }
  }
  return all;
}

void JournalReader::scan(const std::function<Sequence(unsigned)>& done) {
  for (const drives::Slot slot : x_drives.current_at_open()) {
    io::Disk* disk = x_drives.disk(slot);
    auto names = disk->list("journal");
    if (!names) {
      x_failing.insert(slot);
      log::warn("a drive has no journal",
                {{"drive", disk->name()}, {"error", names.error().describe()}});
      continue;
    }
    for (const std::string& name : *names) {
      x_files.push_back({.slot = slot, .path = "journal/" + name});
      if (auto read = scan_file(slot, "journal/" + name, done); !read) {
        x_files.back().unreadable = read.error();
        x_failing.insert(slot);
        log::warn("a journal file is unreadable, its copies serve",
                  {{"drive", disk->name()}, {"file", name}, {"error", read.error().describe()}});
      }
    }
  }
}

Result<void> JournalReader::scan_file(drives::Slot slot,
                                      const std::string& path,
                                      const std::function<Sequence(unsigned)>& done) {
  TRY(const auto file, x_drives.disk(slot)->open(path, io::Access::read, io::Cache::direct));
  TRY(x_files.back().bytes, file->size());
  TRY(const Buffer all, read_all(slot, *file, path));
  std::size_t at = 0;
  while (at < all.size()) {
    const ConstBytes rest = all.view().subspan(at);
    const auto header = peek_block(rest);
    if (!header || header->offset != at || header->cluster != x_drives.cluster() ||
        header->block_bytes() > rest.size() || !block_verifies(rest)) {
      at += kIoAlign;  // torn, damaged or never written; whole blocks may follow
      continue;
    }
    at += static_cast<std::size_t>(header->block_bytes());
    ++x_files.back().blocks;
    x_max_generation = std::max(x_max_generation, header->generation);
    x_max_sequence = std::max(x_max_sequence, header->last);
    if (header->last <= done(header->worker)) {
      continue;
    }
    StoredBlock& block = x_blocks[header->worker][header->last];
    block.header = *header;
    block.copies.push_back({slot, path, *header});
  }
  return ok();
}

void JournalReader::drop_passed_over() {
  for (auto& [worker, blocks] : x_blocks) {
    Sequence bound = ~Sequence{0};
    for (auto at = blocks.end(); at != blocks.begin();) {
      --at;
      if (at->first > bound) {
        at = blocks.erase(at);
      } else {
        bound = at->second.header.previous;
      }
    }
  }
}

Result<std::vector<Transaction>> JournalReader::load(const StoredBlock& block) const {
  for (const StoredBlock::Copy& copy : block.copies) {
    const auto file =
        x_drives.disk(copy.slot)->open(copy.path, io::Access::read, io::Cache::direct);
    if (!file) {
      continue;
    }
    const Buffer bytes = Buffer::make(static_cast<std::size_t>(copy.header.block_bytes()));
    const auto got = (*file)->read_sync(copy.header.offset, bytes.writable());
    if (!got || *got != bytes.size()) {
      continue;
    }
    const auto header = peek_block(bytes.view());
    if (!header || *header != copy.header) {
      continue;
    }
    if (auto transactions = decode_block(bytes.view())) {
      return transactions;
    }
  }
  return fail(Errc::corrupt, "a journal block of worker " + std::to_string(block.header.worker) +
                                 " can be read from no drive");
}

}  // namespace outcrop::meta
