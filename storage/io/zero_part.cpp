#include "storage/io/zero_part.h"

#include <algorithm>

namespace outcrop::io {
namespace {

constexpr std::uint64_t kChunk = std::uint64_t{1} << 20;

}  // namespace

Result<std::unique_ptr<File>> zero_part(Disk& disk,
                                        const std::string& path,
                                        std::uint64_t from,
                                        std::uint64_t to) {
  TRY(auto file, disk.open(path, from == 0 ? Access::create : Access::read_write, Cache::direct));
  const Buffer zeros = Buffer::zeroed(static_cast<std::size_t>(std::min(kChunk, to - from)));
  for (std::uint64_t at = from; at < to;) {
    const std::uint64_t length = std::min(kChunk, to - at);
    TRYV(file->write_sync(at, zeros.view().first(static_cast<std::size_t>(length))));
    at += length;
  }
  TRYV(file->sync());
  return file;
}

}  // namespace outcrop::io
