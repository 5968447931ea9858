#include "storage/ns/record_codec.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace outcrop::ns {
namespace {

constexpr std::uint8_t kTailVersion = 1;
constexpr std::size_t kMaxPairs = kMaxAttributeBytes;
constexpr std::size_t kHexMd5 = 32;
// Tags stand behind the headers in one list, told apart by a character that no header begins with:
// so records without tags are what they were before there were any.
constexpr char kTagMark = '#';
// The ACL stands behind the tags in the same way.
constexpr std::string_view kAclMark = "!";
// And the envelope of a sealed payload behind that.
constexpr std::string_view kEnvelopeMark = "$";
// And the lock behind both.
constexpr std::string_view kLockMark = "&";

// "<32 lower hex>" and "<32 lower hex>-<n>" are nearly all ETags: packed into half the bytes.
enum class EtagForm : std::uint8_t { text = 0, md5 = 1, md5_parts = 2 };

struct PackedEtag {
  std::array<std::uint8_t, 16> md5{};
  std::optional<std::uint32_t> parts;
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<PackedEtag> pack(std::string_view etag) {
  if (etag.size() < kHexMd5 || (etag.size() > kHexMd5 && etag[kHexMd5] != '-')) {
    return std::nullopt;
  }
  PackedEtag out;
  for (std::size_t i = 0; i < kHexMd5; i += 2) {
    const int high = hex_value(etag[i]);
    const int low = hex_value(etag[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out.md5[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (etag.size() == kHexMd5) {
    return out;
  }
  const std::string_view digits = etag.substr(kHexMd5 + 1);
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  out.parts = n;
  return out;
}

void write_pairs(Writer& w, const StringPairs& pairs) {
  w.varint(pairs.size());
  for (const auto& [name, value] : pairs) {
    w.str(name);
    w.str(value);
  }
}

StringPairs read_pairs(Reader& r) {
  StringPairs out;
  for (std::size_t n = r.count(kMaxPairs); n > 0 && r.ok(); --n) {
    std::string name(r.str(kMaxAttributeBytes));
    std::string value(r.str(kMaxAttributeBytes));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

// What stands at the end of the headers under a mark; empty: nothing does.
std::string take_marked(Reader& r, StringPairs& headers, std::string_view mark) {
  std::string out;
  if (!headers.empty() && headers.back().first == mark) {
    out = std::move(headers.back().second);
    headers.pop_back();
    if (out.empty()) {
      r.fail();
    }
  }
  return out;
}

void write_piece(Writer& w, const Piece& piece) {
  w.varint(piece.extent.segment);
  if (piece.hole()) {
    w.varint(piece.length);
    return;
  }
  w.varint(piece.extent.offset);
  w.varint(piece.extent.length);
  w.u64(piece.extent.stamp);
  w.varint(piece.skip);
  w.varint(piece.length);
}

Piece read_piece(Reader& r) {
  Piece p;
  p.extent.segment = r.varint();
  if (p.hole()) {
    p.length = r.varint();
    if (p.length == 0) {
      r.fail();
    }
    return p;
  }
  p.extent.offset = r.varint();
  p.extent.length = r.varint();
  p.extent.stamp = r.u64();
  p.skip = r.varint();
  p.length = r.varint();
  if (p.length == 0 || p.skip > p.extent.length || p.length > p.extent.length - p.skip) {
    r.fail();
  }
  return p;
}

void write_part(Writer& w, const PartSummary& part) {
  w.varint(part.number);
  w.varint(part.size);
  w.str(part.checksum);
}

PartSummary read_part(Reader& r) {
  PartSummary part;
  const std::uint64_t number = r.varint();
  if (number == 0 || number > kMaxParts) {
    r.fail();
  }
  part.number = static_cast<std::uint32_t>(number);
  part.size = r.varint();
  part.checksum = r.str(kMaxChecksumBytes);
  return part;
}

template <class Item, class Write>
std::size_t encoded_size(const Item& item, Write write) {
  Writer w;
  write(w, item);
  return w.size();
}

}  // namespace

void write_etag(Writer& w, std::string_view etag) {
  const auto packed = pack(etag);
  if (!packed) {
    w.u8(static_cast<std::uint8_t>(EtagForm::text));
    w.str(etag);
    return;
  }
  w.u8(static_cast<std::uint8_t>(packed->parts ? EtagForm::md5_parts : EtagForm::md5));
  w.bytes(std::as_bytes(std::span(packed->md5)));
  if (packed->parts) {
    w.varint(*packed->parts);
  }
}

std::string read_etag(Reader& r) {
  const std::uint8_t form = r.u8();
  if (form == static_cast<std::uint8_t>(EtagForm::text)) {
    std::string etag(r.str(kMaxEtagBytes));
    if (pack(etag)) {
      r.fail();
    }
    return etag;
  }
  if (form > static_cast<std::uint8_t>(EtagForm::md5_parts)) {
    r.fail();
  }
  const ConstBytes md5 = r.take(kHexMd5 / 2);
  std::string etag(2 * md5.size(), '\0');
  for (std::size_t i = 0; i < md5.size(); ++i) {
    etag[2 * i] = "0123456789abcdef"[std::to_integer<unsigned>(md5[i]) >> 4];
    etag[2 * i + 1] = "0123456789abcdef"[std::to_integer<unsigned>(md5[i]) & 15];
  }
  if (form == static_cast<std::uint8_t>(EtagForm::md5_parts)) {
    const std::uint64_t parts = r.varint();
    if (parts > std::numeric_limits<std::uint32_t>::max()) {
      r.fail();
    }
    etag.append("-").append(std::to_string(parts));
  }
  return etag;
}

void write_algorithm(Writer& w, digest::Algorithm algorithm, digest::ChecksumType type) {
  w.u8(static_cast<std::uint8_t>(static_cast<unsigned>(algorithm) << 1 |
                                 static_cast<unsigned>(type)));
}

void read_algorithm(Reader& r, digest::Algorithm& algorithm, digest::ChecksumType& type) {
  const unsigned both = r.u8();
  // Not a range check on known algorithms: a newer one must survive a rewrite by this version.
  algorithm = static_cast<digest::Algorithm>(both >> 1);
  type = static_cast<digest::ChecksumType>(both & 1);
}

void write_checksum(Writer& w, const digest::Checksum& checksum) {
  write_algorithm(w, checksum.algorithm, checksum.type);
  w.str(checksum.value);
}

digest::Checksum read_checksum(Reader& r) {
  digest::Checksum out;
  read_algorithm(r, out.algorithm, out.type);
  out.value = r.str(kMaxChecksumBytes);
  return out;
}

void write_stamp(Writer& w, const VersionStamp& stamp) {
  w.u8(stamp.null ? 1 : 0);
  w.varint(stamp.number);
}

VersionStamp read_stamp(Reader& r) {
  const std::uint8_t null = r.u8();
  const VersionStamp out{r.varint(), null == 1};
  if (null > 1 || out.number == 0) {
    r.fail();
  }
  return out;
}

void write_attributes(Writer& w, const ObjectAttributes& attributes) {
  w.str(attributes.content_type);
  const bool acl = !attributes.acl.empty(), sealed = !attributes.envelope.empty();
  const bool lock = !attributes.lock.empty();
  w.varint(attributes.headers.size() + attributes.tags.size() + (acl ? 1 : 0) + (sealed ? 1 : 0) +
           (lock ? 1 : 0));
  for (const auto& [name, value] : attributes.headers) {
    w.str(name);
    w.str(value);
  }
  std::string marked;
  for (const auto& [key, value] : attributes.tags) {
    w.str(marked.assign(1, kTagMark).append(key));
    w.str(value);
  }
  if (acl) {
    w.str(kAclMark);
    w.str(attributes.acl);
  }
  if (sealed) {
    w.str(kEnvelopeMark);
    w.str(attributes.envelope);
  }
  if (lock) {
    w.str(kLockMark);
    w.str(encode(attributes.lock));
  }
  write_pairs(w, attributes.user_meta);
}

ObjectAttributes read_attributes(Reader& r) {
  ObjectAttributes out;
  out.content_type = r.str(kMaxAttributeBytes);
  out.headers = read_pairs(r);
  if (!out.headers.empty() && out.headers.back().first == kLockMark) {
    if (auto lock = decode_object_lock(out.headers.back().second)) {
      out.lock = *lock;
    } else {
      r.fail();
    }
    out.headers.pop_back();
  }
  out.envelope = take_marked(r, out.headers, kEnvelopeMark);
  out.acl = take_marked(r, out.headers, kAclMark);
  const auto first = std::ranges::find_if(out.headers, [](const auto& pair) {
    return pair.first.starts_with(kTagMark) || pair.first == kEnvelopeMark ||
           pair.first == kLockMark;
  });
  for (auto tag = first; tag != out.headers.end(); ++tag) {
    if (!tag->first.starts_with(kTagMark)) {
      r.fail();
      break;
    }
    out.tags.emplace_back(tag->first.substr(1), std::move(tag->second));
  }
  out.headers.erase(first, out.headers.end());
  out.user_meta = read_pairs(r);
  return out;
}

std::size_t attribute_bytes(const ObjectAttributes& attributes) {
  return encoded_size(attributes, write_attributes);
}

void write_lists(Writer& w, const RecordLists& lists) {
  w.varint(lists.pieces.size());
  for (const Piece& piece : lists.pieces) {
    write_piece(w, piece);
  }
  w.varint(lists.parts.size());
  for (const PartSummary& part : lists.parts) {
    write_part(w, part);
  }
}

RecordLists read_lists(Reader& r) {
  RecordLists out;
  for (std::size_t n = r.count(kMaxListItems); n > 0 && r.ok(); --n) {
    out.pieces.push_back(read_piece(r));
  }
  for (std::size_t n = r.count(kMaxListItems); n > 0 && r.ok(); --n) {
    out.parts.push_back(read_part(r));
  }
  return out;
}

std::vector<std::string> encode_tails(const RecordLists& lists) {
  constexpr std::size_t kBudget = kMaxRecordBytes - 8;  // version and two counts
  std::vector<std::string> out;
  RecordLists chunk;
  std::size_t bytes = 0;
  const auto flush = [&] {
    Writer w;
    w.u8(kTailVersion);
    write_lists(w, chunk);
    out.push_back(std::move(w).take());
    chunk = {};
    bytes = 0;
  };
  const auto make_room = [&](std::size_t size) {
    if (bytes > 0 && bytes + size > kBudget) {
      flush();
    }
    bytes += size;
  };
  for (const Piece& piece : lists.pieces) {
    make_room(encoded_size(piece, write_piece));
    chunk.pieces.push_back(piece);
  }
  for (const PartSummary& part : lists.parts) {
    make_room(encoded_size(part, write_part));
    chunk.parts.push_back(part);
  }
  if (bytes > 0) {
    flush();
  }
  return out;
}

bool append_tail(std::string_view bytes, RecordLists& lists) {
  Reader r(bytes);
  if (r.u8() != kTailVersion) {
    return false;
  }
  RecordLists more = read_lists(r);
  if (!r.done()) {
    return false;
  }
  lists.pieces.insert(lists.pieces.end(), more.pieces.begin(), more.pieces.end());
  lists.parts.insert(lists.parts.end(), std::make_move_iterator(more.parts.begin()),
                     std::make_move_iterator(more.parts.end()));
  return true;
}

}  // namespace outcrop::ns
