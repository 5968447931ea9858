// File handles: 32 bytes that name an export and an inode, with a keyed MAC, so that no client can
// make up a handle or carry one to another export. Two keys are live so that they can be rotated.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "api/nfs/export.h"
#include "storage/base/bytes.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

inline constexpr std::size_t kHandleBytes = 32;
using HandleBytes = std::array<std::byte, kHandleBytes>;

/// What a handle says. The pseudo root and its directories (NFSv4) have no bucket: root is 0 and
/// ino counts the pseudo nodes.
struct Handle {
  ExportId export_id = 0;
  ns::FileId file;
  bool pseudo() const { return file.root == 0; }
  bool operator==(const Handle&) const = default;
};

using HandleKey = std::array<std::byte, 16>;

/// Layout: u8 key number, u8 zero, u16 export, u64 root, u64 inode (big-endian), 12 bytes MAC
/// (SipHash-2-4-128 of the first 20, truncated). Thread-safe: keys are set once, at start.
class HandleCodec {
 public:
  /// `current` seals; both open. Equal keys: there is no previous one.
  HandleCodec(HandleKey current, std::uint8_t number, HandleKey previous);
  HandleBytes seal(const Handle& handle) const;
  /// Empty: not 32 bytes, not ours, or tampered with. The MAC is compared in constant time.
  std::optional<Handle> open(ConstBytes bytes) const;

 private:
  HandleKey x_current, x_previous;
  std::uint8_t x_number;
};

}  // namespace outcrop::nfs
