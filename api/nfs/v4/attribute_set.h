// A set of NFSv4 file attributes: bitmap4 on the wire (RFC 8881 section 3.3.7), three words here.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>

#include "api/nfs/xdr.h"

namespace outcrop::nfs::v4 {

inline constexpr std::size_t kBitmapWords = 3;          ///< attributes 0..95: all that we know
inline constexpr std::size_t kMaxWireBitmapWords = 64;  ///< more is BADXDR

/// Numbers of RFC 8881 section 5.6, RFC 7862 section 12.2, RFC 8275, RFC 8276.
enum class Attribute : std::uint8_t {
  supported_attrs = 0,
  type = 1,
  fh_expire_type = 2,
  change = 3,
  size = 4,
  link_support = 5,
  symlink_support = 6,
  named_attr = 7,
  fsid = 8,
  unique_handles = 9,
  lease_time = 10,
  rdattr_error = 11,
  aclsupport = 13,
  cansettime = 15,
  case_insensitive = 16,
  case_preserving = 17,
  chown_restricted = 18,
  filehandle = 19,
  fileid = 20,
  files_avail = 21,
  files_free = 22,
  files_total = 23,
  fs_locations = 24,
  homogeneous = 26,
  maxfilesize = 27,
  maxlink = 28,
  maxname = 29,
  maxread = 30,
  maxwrite = 31,
  mode = 33,
  no_trunc = 34,
  numlinks = 35,
  owner = 36,
  owner_group = 37,
  quota_avail_hard = 38,
  quota_avail_soft = 39,
  quota_used = 40,
  rawdev = 41,
  space_avail = 42,
  space_free = 43,
  space_total = 44,
  space_used = 45,
  time_access = 47,
  time_access_set = 48,
  time_create = 50,
  time_delta = 51,
  time_metadata = 52,
  time_modify = 53,
  time_modify_set = 54,
  mounted_on_fileid = 55,
  suppattr_exclcreat = 75,
  fs_charset_cap = 76,
  clone_blksize = 77,
  space_freed = 78,
  change_attr_type = 79,
  mode_umask = 81,
  xattr_support = 82,
};

class AttributeSet {
 public:
  constexpr AttributeSet() = default;
  constexpr AttributeSet(std::initializer_list<Attribute> all) {
    for (const Attribute a : all) {
      add(a);
    }
  }
  constexpr void add(Attribute a) { x_words[word(a)] |= bit(a); }
  constexpr void remove(Attribute a) { x_words[word(a)] &= ~bit(a); }
  constexpr bool has(Attribute a) const { return (x_words[word(a)] & bit(a)) != 0; }
  constexpr bool has_any(const AttributeSet& of) const { return !(*this & of).empty(); }
  constexpr bool empty() const { return (x_words[0] | x_words[1] | x_words[2]) == 0 && !x_beyond; }
  /// Numbers that nobody has defined yet (or above 95) were set.
  constexpr bool within(const AttributeSet& of) const {
    return !x_beyond && (x_words[0] & ~of.x_words[0]) == 0 && (x_words[1] & ~of.x_words[1]) == 0 &&
           (x_words[2] & ~of.x_words[2]) == 0;
  }
  /// What both have; never with bits above 95.
  constexpr AttributeSet operator&(const AttributeSet& other) const {
    AttributeSet out;
    for (std::size_t i = 0; i < kBitmapWords; ++i) {
      out.x_words[i] = x_words[i] & other.x_words[i];
    }
    return out;
  }
  constexpr AttributeSet operator|(const AttributeSet& other) const {
    AttributeSet out = *this;
    for (std::size_t i = 0; i < kBitmapWords; ++i) {
      out.x_words[i] |= other.x_words[i];
    }
    return out;
  }
  bool operator==(const AttributeSet&) const = default;

  void write(XdrWriter& out) const {
    std::size_t n = kBitmapWords;
    while (n > 0 && x_words[n - 1] == 0) {
      --n;
    }
    out.u32(static_cast<std::uint32_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
      out.u32(x_words[i]);
    }
  }
  static AttributeSet read(XdrReader& in) {
    AttributeSet out;
    const std::size_t n = in.count(kMaxWireBitmapWords);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t w = in.u32();
      if (i < kBitmapWords) {
        out.x_words[i] = w;
      } else {
        out.x_beyond = out.x_beyond || w != 0;
      }
    }
    return out;
  }

 private:
  static constexpr std::size_t word(Attribute a) { return static_cast<std::size_t>(a) / 32; }
  static constexpr std::uint32_t bit(Attribute a) {
    return std::uint32_t{1} << (static_cast<unsigned>(a) % 32);
  }
  std::array<std::uint32_t, kBitmapWords> x_words{};
  bool x_beyond = false;
};

}  // namespace outcrop::nfs::v4
