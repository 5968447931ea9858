// fattr4: one table row per attribute says since which minor version it exists, how it looks on the
// wire, how it is read and whether it can be set. Sans-IO.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/nfs/handle.h"
#include "api/nfs/v4/attribute_set.h"
#include "api/nfs/v4state/status.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs::v4 {

inline constexpr std::uint64_t kMaxFileSize = INT64_MAX;
inline constexpr std::size_t kMaxAttributeBytes = 64 << 10;  ///< attr_vals of one fattr4

struct Fsid {
  std::uint64_t major = 0, minor = 0;
  bool operator==(const Fsid&) const = default;
};

/// What an object looks like to its client; the encoders read nothing else.
struct AttributeSource {
  ns::FileAttributes file;  ///< as shown (access.h): with an owner
  unsigned minor = 0;       ///< minor version of the compound
  Fsid fsid;
  std::uint64_t mounted_on = 0;  ///< the junction's fileid for the root of an export
  HandleBytes handle{};
  std::uint32_t lease_seconds = 0;
  Status rdattr_error = Status::ok;
  ns::FileSystemSpace space;           ///< filled if kSpaceAttributes are wanted
  std::vector<std::string> root_path;  ///< components of the export's path
};

/// Those that need FileSystem::space().
inline constexpr AttributeSet kSpaceAttributes{
    Attribute::files_avail,      Attribute::files_free,       Attribute::files_total,
    Attribute::quota_avail_hard, Attribute::quota_avail_soft, Attribute::quota_used,
    Attribute::space_avail,      Attribute::space_free,       Attribute::space_total};

AttributeSet supported_attributes(unsigned minor);
AttributeSet settable_attributes(unsigned minor);
/// Those that only SETATTR and its kin take.
AttributeSet write_only_attributes();
/// What EXCLUSIVE4_1 takes beside the verifier.
AttributeSet exclusive_create_attributes(unsigned minor);

/// Writes bitmap and values of what is wanted, supported and readable.
void write_attributes(XdrWriter& out, const AttributeSet& wanted, const AttributeSource& from);

/// A fattr4 as it came; `values` refers to the record.
struct WireAttributes {
  AttributeSet given;
  ConstBytes values;
  static WireAttributes read(XdrReader& in) {
    WireAttributes out;
    out.given = AttributeSet::read(in);
    out.values = in.opaque(kMaxAttributeBytes);
    return out;
  }
};

/// What SETATTR, CREATE or OPEN is to set.
struct SetRequest {
  ns::SetAttributes set;   ///< server times filled in already
  AttributeSet given;      ///< for attrset of the reply
  bool times_now = false;  ///< times are set, and all of them to the server's: needs no ownership
};

enum class SetPurpose : std::uint8_t { change, create };
/// badxdr, attrnotsupp, inval (read-only, or mode_umask outside a create), badowner, fbig.
Status parse_settable(const WireAttributes& in,
                      unsigned minor,
                      SetPurpose purpose,
                      std::int64_t now_ns,
                      SetRequest& out);

/// VERIFY and NVERIFY: ok (all the same), not_same, or attrnotsupp, inval, badxdr.
Status compare_attributes(const WireAttributes& in, const AttributeSource& with);
/// The checks of the former that need no object.
Status check_comparable(const WireAttributes& in, unsigned minor);

}  // namespace outcrop::nfs::v4
