// File handles: 32 bytes that name an export and an inode, with a keyed MAC, so that no client can
// make up a handle or carry one to another export. Two keys are live so that they can be rotated.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

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

struct HandleKeys {
  HandleKey current{};      ///< seals; both open
  std::uint8_t number = 0;  ///< of the current one
  HandleKey previous{};     ///< equal to the current one: there is none
};

/// Layout: u8 key number, u8 zero, u16 export, u64 root, u64 inode (big-endian), 12 bytes MAC
/// (SipHash-2-4-128 of the first 20, truncated). Any thread.
class HandleCodec {
 public:
  explicit HandleCodec(const HandleKeys& keys);
  HandleCodec(HandleKey current, std::uint8_t number, HandleKey previous)
      : HandleCodec(HandleKeys{current, number, previous}) {}
  HandleCodec(const HandleCodec&) = delete;
  /// From now on; calls that run finish with the keys that they began with.
  void use(const HandleKeys& keys);
  HandleBytes seal(const Handle& handle) const;
  /// Empty: not 32 bytes, not ours, or tampered with. The MAC is compared in constant time.
  std::optional<Handle> open(ConstBytes bytes) const;

 private:
  std::atomic<const HandleKeys*> x_keys;
  /// All there ever were: few, and a reader may still look at any.
  std::vector<std::unique_ptr<const HandleKeys>> x_all;
  std::mutex x_mutex;  // of x_all
};

}  // namespace outcrop::nfs
