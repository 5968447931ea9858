#include <gtest/gtest.h>

#include "storage/ns/bucket_record.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/upload_record.h"
#include "storage/ns/version_record.h"

namespace outcrop::ns {
namespace {

constexpr const char* kMd5 = "0123456789abcdef0123456789abcdef";

InodeRecord file_record() {
  return {.type = InodeType::file,
          .change = 7,
          .parent = 3,
          .name = "name",
          .mtime_ns = -5,
          .size = 5,
          .etag = kMd5,
          .attributes = {.content_type = "text/plain",
                         .headers = {{"cache-control", "no"}},
                         .user_meta = {{"k", "v"}}},
          .checksum = {.algorithm = digest::Algorithm::crc32c, .value = "abcd"},
          .upload_id = "u",
          .inline_data = "hello"};
}

std::vector<Piece> many_pieces(std::size_t n) {
  std::vector<Piece> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back({.extent = {.segment = i + 1, .offset = i << 20, .length = 1 << 20, .stamp = ~i},
                   .skip = 5,
                   .length = 100});
  }
  return out;
}

TEST(Records, FileRoundTrip) {
  const InodeRecord record = file_record();
  const EncodedRecord encoded = encode(record);
  EXPECT_TRUE(encoded.tails.empty());
  const auto decoded = decode_inode(encoded.main);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, record);
}

TEST(Records, TagsRoundTripAndCostNothingWhereThereAreNone) {
  InodeRecord record = file_record();
  const std::string plain = encode(record).main;
  record.attributes.tags = {{"b", "2"}, {"a", ""}};
  const std::string tagged = encode(record).main;
  EXPECT_EQ(tagged.size(), plain.size() + 2 * 3 + 3);
  EXPECT_EQ(decode_inode(tagged).value(), record);
  UploadRecord upload{.ino = 1, .created_ns = 2, .attributes = record.attributes};
  EXPECT_EQ(decode_upload(encode(upload)).value(), upload);
  // A header behind a tag is nothing that is ever written.
  for (const char* name : {"expires", ""}) {
    record.attributes.headers = {{"#a", "1"}, {name, "2"}};
    EXPECT_EQ(decode_inode(encode(record).main).error().code(), Errc::corrupt) << name;
    upload.attributes = record.attributes;
    EXPECT_EQ(decode_upload(encode(upload)).error().code(), Errc::corrupt) << name;
  }
}

TEST(Records, EnvelopesRoundTripAndCostNothingWhereThereAreNone) {
  InodeRecord record = file_record();
  const std::size_t plain = encode(record).main.size();
  for (const char* acl : {"", "an ACL"}) {
    for (const bool tagged : {false, true}) {
      record.attributes.tags = tagged ? StringPairs{{"b", "2"}} : StringPairs{};
      record.attributes.acl = acl;
      record.attributes.envelope.clear();
      const std::size_t before = encode(record).main.size();
      record.attributes.envelope = "wrapped";
      EXPECT_EQ(encode(record).main.size(), before + 2 + 8);
      EXPECT_EQ(decode_inode(encode(record).main).value(), record);
      EXPECT_TRUE(decode_inode(encode(record).main)->sealed());
      UploadRecord upload{.ino = 1, .created_ns = 2, .attributes = record.attributes};
      EXPECT_EQ(decode_upload(encode(upload)).value(), upload);
    }
  }
  record = file_record();
  EXPECT_EQ(encode(record).main.size(), plain);
  EXPECT_FALSE(record.sealed());
  // Nothing else may look like an envelope, or hide one.
  const StringPairs headers = record.attributes.headers;
  for (const StringPairs& bad :
       {StringPairs{{"$", ""}}, StringPairs{{"$", "x"}, {"expires", "2"}},
        StringPairs{{"$", "x"}, {"#a", "1"}}, StringPairs{{"$", "x"}, {"!", "acl"}},
        StringPairs{{"$", "x"}, {"$", "y"}}}) {
    record.attributes.headers = headers;
    record.attributes.headers.insert(record.attributes.headers.end(), bad.begin(), bad.end());
    EXPECT_EQ(decode_inode(encode(record).main).error().code(), Errc::corrupt);
  }
}

TEST(Records, DirectoryRoundTrip) {
  const InodeRecord record{.type = InodeType::directory, .parent = 1, .name = "d/"};
  const auto decoded = decode_inode(encode(record).main);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, record);
}

TEST(Records, MovesRoundTripAndCostNothingWhereThereAreNone) {
  for (InodeRecord record :
       {file_record(), InodeRecord{.type = InodeType::directory, .name = "d/"},
        InodeRecord{.type = InodeType::symlink, .posix = {{}}, .target = "t"}}) {
    const std::size_t plain = encode(record).main.size();
    record.moves = 1;
    EXPECT_EQ(encode(record).main.size(), plain + 1);
    EXPECT_EQ(decode_inode(encode(record).main).value(), record);
    record.moves = UINT32_MAX;
    EXPECT_EQ(decode_inode(encode(record).main).value(), record);
  }
}

TEST(Records, VersionsRoundTripAndCostNothingWhereThereAreNone) {
  InodeRecord record = file_record();
  const std::size_t plain = encode(record).main.size();
  for (const VersionStamp& stamp : {VersionStamp{}, {9, true}, {~std::uint64_t{0}, false}}) {
    for (const bool history : {false, true}) {
      record.version = stamp;
      record.history = history;
      EXPECT_EQ(decode_inode(encode(record).main).value(), record);
      EXPECT_EQ(encode(record).main.size() == plain, stamp.number == 0 && !history);
    }
    DirentRecord dirent{.ino = 9, .version = stamp, .size = 3, .mtime_ns = 4, .etag = kMd5};
    EXPECT_EQ(decode_dirent(encode(dirent)).value(), dirent);
    for (const std::optional<std::int64_t> since : {std::optional<std::int64_t>(), {0}, {-5}}) {
      const VersionRecord dated{stamp, false, dirent, since};
      EXPECT_EQ(encode(dated)[0], since ? 2 : 1);
      EXPECT_EQ(decode_version(encode(dated), stamp.number).value(), dated);
    }
    const VersionRecord version{stamp, false, dirent, 7};
    EXPECT_FALSE(decode_version(encode(version), 8)) << "the record of another version";
    if (stamp.number != 0) {
      VersionRecord marker{stamp, true, {}};
      marker.summary.mtime_ns = -7;
      EXPECT_EQ(decode_version(encode(marker), stamp.number).value(), marker);
    }
  }
  const InodeRecord directory{
      .type = InodeType::directory, .parent = 1, .name = "d/", .history = true};
  EXPECT_EQ(decode_inode(encode(directory).main).value(), directory);
  for (const Versioning state : {Versioning::off, Versioning::enabled, Versioning::suspended}) {
    BucketRecord bucket{.root = 7, .created_ns = 8, .region = "r", .versioning = state};
    EXPECT_EQ(decode_bucket(encode(bucket)).value(), bucket);
    EXPECT_EQ(encode(bucket)[0], state == Versioning::off ? 1 : 2);
    bucket.sealing = true;
    EXPECT_EQ(decode_bucket(encode(bucket)).value(), bucket);
    EXPECT_EQ(encode(bucket)[0], 3);
  }
}

// What is on disks.
TEST(Records, VersionsOfBothFormats) {
  using namespace std::string_literals;
  const std::string dirent = "\x01\x21\x09\x00\x85\x01\x05\x07\0\0\0\0\0\0\0\0\x02\x61\x62\0"s;
  VersionRecord record{.stamp = {133, false}};
  record.summary = {.ino = 9, .version = record.stamp, .size = 5, .mtime_ns = 7, .etag = "ab"};
  EXPECT_EQ(decode_version("\1\1"s + dirent, 133).value(), record);
  EXPECT_EQ(encode(record), "\1\1"s + dirent);
  record.since_ns = 0x0102030405060708;
  const std::string dated = "\2\1\x08\7\6\5\4\3\2\1"s + dirent;
  EXPECT_EQ(decode_version(dated, 133).value(), record);
  EXPECT_EQ(encode(record), dated);
  VersionRecord marker{.stamp = {133, true}, .marker = true};
  marker.summary.mtime_ns = 7;
  EXPECT_EQ(encode(marker), "\1\3\7\0\0\0\0\0\0\0"s);
  EXPECT_EQ(decode_version(encode(marker), 133).value(), marker);
  for (const std::string& bad :
       {"\2\3\7\0\0\0\0\0\0\0"s, "\0\1"s + dirent, "\3\1"s + dated.substr(2), "\2\1\x08\7"s, "\2"s,
        ""s, dated + "\0"s, "\1"s + dated.substr(1)}) {
    EXPECT_FALSE(decode_version(bad, 133)) << ::testing::PrintToString(bad);
  }
}

TEST(Records, VersionKeysSortByNameAndThenTheNewestFirst) {
  const std::vector<std::string> names = {"",
                                          std::string("\0", 1),
                                          "a",
                                          std::string("a\0", 2),
                                          std::string("a\0b", 3),
                                          "a\x01",
                                          "a/",
                                          "ab",
                                          "\xff"};
  std::vector<std::string> keys;
  for (const std::string& name : names) {
    for (const std::uint64_t number :
         {std::uint64_t{1} << 60, std::uint64_t{2}, std::uint64_t{0}}) {
      keys.push_back(version_key(5, name, number));
      const auto parsed = parse_version_key(keys.back());
      ASSERT_TRUE(parsed) << name;
      EXPECT_EQ(parsed->directory, 5U);
      EXPECT_EQ(parsed->name, name);
      EXPECT_EQ(parsed->number, number);
    }
    keys.push_back(null_version_key(5, name));
    EXPECT_EQ(parse_version_key(keys.back()).value().kind, VersionKind::null);
    keys.push_back(history_directory_key(5, name));
    EXPECT_EQ(parse_version_key(keys.back()).value().kind, VersionKind::directory);
  }
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_LT(keys.back(), version_end(5));
  EXPECT_LT(version_end(4), keys.front());
}

TEST(Records, VersionIds) {
  EXPECT_EQ(version_text({}), "null");
  EXPECT_EQ(parse_version_id("null").value(), VersionId{});
  const VersionStamp stamp{(std::uint64_t{7} << 40) + 3, false};
  const std::string id = version_text(stamp);
  EXPECT_EQ(id.size(), 32U);
  EXPECT_TRUE(parse_version_id(id).value().names(stamp));
  EXPECT_FALSE(parse_version_id(id).value().names({stamp.number, true}));
  for (std::string bad : {std::string(), std::string("NULL"), id.substr(1), id + "0",
                          id.substr(0, 31) + (id.back() == '0' ? "1" : "0"), std::string(32, '0'),
                          std::string(32, 'g')}) {
    EXPECT_FALSE(parse_version_id(bad)) << bad;
  }
}

TEST(Records, PosixAttributesSymlinksAndHolesRoundTrip) {
  InodeRecord record = file_record();
  record.inline_data.clear();
  const std::size_t plain = encode(record).main.size();
  record.lists.pieces = {{.extent = {}, .skip = 0, .length = 7}, many_pieces(1)[0]};
  record.posix = {.mode = 04755,
                  .uid = 1000,
                  .gid = kNoOwner,
                  .links = 3,
                  .ctime_ns = 1,
                  .atime_ns = -2,
                  .btime_ns = 3,
                  .verifier = ~std::uint64_t{0},
                  .xattr_bytes = kMaxXattrBytes,
                  .mtime_ns = -4};
  EXPECT_EQ(decode_inode(encode(record).main).value(), record);
  record.lists = {};
  record.posix.reset();
  EXPECT_EQ(encode(record).main.size(), plain);  // what S3 makes pays nothing for all this

  const InodeRecord link{
      .type = InodeType::symlink, .parent = 3, .name = "l", .posix = {{}}, .target = "../x"};
  EXPECT_EQ(decode_inode(encode(link).main).value(), link);
  const DirentRecord dirent{.ino = 9, .type = InodeType::symlink};
  EXPECT_EQ(decode_dirent(encode(dirent)).value(), dirent);

  for (const InodeType type :
       {InodeType::fifo, InodeType::socket, InodeType::block_device, InodeType::character_device}) {
    InodeRecord node{.type = type, .parent = 3, .name = "n", .posix = {{}}};
    if (is_device(type)) {
      node.device = {.major = 8, .minor = UINT32_MAX};
    }
    EXPECT_EQ(decode_inode(encode(node).main).value(), node);
    const DirentRecord entry{.ino = 9, .type = type};
    EXPECT_EQ(decode_dirent(encode(entry)).value(), entry);
  }

  EXPECT_EQ(decode_number(encode_number(1 << 20)).value(), 1u << 20);
  const CookieRecord cookie{.ino = 4, .parent = 5, .name = "n"};
  EXPECT_EQ(decode_cookie(encode(cookie)).value(), cookie);
}

TEST(Records, ValuesOutOfRangeAreCorrupt) {
  InodeRecord record = file_record();
  record.posix = PosixAttributes{.mode = 010000};
  EXPECT_FALSE(decode_inode(encode(record).main));
  record.posix = PosixAttributes{.links = kMaxLinks + 1};
  EXPECT_FALSE(decode_inode(encode(record).main));
  record.posix = PosixAttributes{.xattr_bytes = kMaxXattrBytes + 1};
  EXPECT_FALSE(decode_inode(encode(record).main));
  record.posix.reset();
  record.lists.pieces = {{.extent = {}, .skip = 0, .length = 0}};
  EXPECT_FALSE(decode_inode(encode(record).main));
  const InodeRecord link{.type = InodeType::symlink,
                         .target = std::string(kMaxSymlinkBytes + 1, 'x')};
  EXPECT_FALSE(decode_inode(encode(link).main));
  for (const int type : {0, 8, 255}) {
    record = {.type = static_cast<InodeType>(type), .parent = 3, .name = "n"};
    EXPECT_FALSE(decode_inode(encode(record).main)) << type;
    EXPECT_FALSE(decode_dirent(encode(DirentRecord{.ino = 9, .type = record.type}))) << type;
  }
}

TEST(Records, LongListsMoveToContinuationRecordsOfBoundedSize) {
  InodeRecord record = file_record();
  record.inline_data.clear();
  record.lists.pieces = many_pieces(1000);
  for (std::uint32_t i = 1; i <= 10'000; ++i) {
    record.lists.parts.push_back({i, i * 1000, std::string(32, 'x')});
  }
  const EncodedRecord encoded = encode(record);
  EXPECT_GT(encoded.tails.size(), 50u);
  auto decoded = decode_inode(encoded.main);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->tails, encoded.tails.size());
  EXPECT_TRUE(decoded->lists.pieces.empty());
  EXPECT_LE(encoded.main.size(), kMaxRecordBytes);
  for (const std::string& tail : encoded.tails) {
    EXPECT_LE(tail.size(), kMaxRecordBytes);
    ASSERT_TRUE(append_tail(tail, decoded->lists));
  }
  EXPECT_EQ(decoded->lists, record.lists);
}

TEST(Records, DirentRoundTripAndPackedEtags) {
  for (const std::string& etag :
       {std::string(kMd5), std::string(kMd5) + "-17", std::string(kMd5) + "-0",
        std::string(kMd5) + "-017", std::string("0123456789ABCDEF0123456789abcdef"),
        std::string("odd"), std::string()}) {
    const DirentRecord record{.ino = 9,
                              .size = 1u << 31,
                              .mtime_ns = 123456789,
                              .etag = etag,
                              .checksum_algorithm = digest::Algorithm::sha256,
                              .checksum_type = digest::ChecksumType::composite};
    const auto decoded = decode_dirent(encode(record));
    ASSERT_TRUE(decoded) << etag;
    EXPECT_EQ(*decoded, record);
  }
  EXPECT_LT(encode(DirentRecord{.ino = 9, .etag = kMd5}).size(), 32u);
}

TEST(Records, PartUploadBucketCounterRoundTrip) {
  PartRecord part{.ino = 4,
                  .size = 100,
                  .mtime_ns = 5,
                  .etag = kMd5,
                  .checksum = {.algorithm = digest::Algorithm::sha1, .value = "v"}};
  part.lists.pieces = many_pieces(3);
  EXPECT_EQ(decode_part(encode(part).main).value(), part);
  part.lists.pieces = many_pieces(500);
  const EncodedRecord spilled = encode(part);
  auto decoded = decode_part(spilled.main);
  ASSERT_TRUE(decoded);
  for (const std::string& tail : spilled.tails) {
    ASSERT_TRUE(append_tail(tail, decoded->lists));
  }
  EXPECT_EQ(decoded->lists, part.lists);

  const UploadRecord upload{.ino = 4,
                            .created_ns = 6,
                            .attributes = {.content_type = "t", .headers = {}, .user_meta = {}},
                            .checksum_algorithm = digest::Algorithm::crc32};
  EXPECT_EQ(decode_upload(encode(upload)).value(), upload);
  const BucketRecord bucket{.root = 2, .created_ns = 1, .region = "here"};
  EXPECT_EQ(decode_bucket(encode(bucket)).value(), bucket);
  EXPECT_EQ(decode_counter(encode_counter(1 << 20)).value(), 1u << 20);
}

TEST(Records, TruncatedAndTrailingBytesAreCorrupt) {
  const std::string main = encode(file_record()).main;
  for (std::size_t n = 0; n < main.size(); ++n) {
    const auto decoded = decode_inode(main.substr(0, n));
    ASSERT_FALSE(decoded) << n;
    EXPECT_EQ(decoded.error().code(), Errc::corrupt);
  }
  EXPECT_FALSE(decode_inode(main + '\0'));
}

TEST(Records, PieceBeyondItsExtentIsCorrupt) {
  InodeRecord record = file_record();
  record.lists.pieces = {
      {.extent = {.segment = 1, .offset = 0, .length = 10, .stamp = 0}, .skip = 8, .length = 3}};
  EXPECT_FALSE(decode_inode(encode(record).main));
  record.lists.pieces[0].skip = ~std::uint64_t{0};
  EXPECT_FALSE(decode_inode(encode(record).main));
}

TEST(Keys, UploadKeysSortLikeObjectKeysAndParseBack) {
  const std::vector<std::string> keys = {std::string(1, '\0'),
                                         std::string("\0\0", 2),
                                         std::string("\0\xff", 2),
                                         "\x01",
                                         "a",
                                         std::string("a\0", 2),
                                         std::string("a\0b", 3),
                                         "a/",
                                         "aa",
                                         "b",
                                         "\xff"};
  std::string previous;
  for (const std::string& key : keys) {
    for (const char* id : {"0001", "0002"}) {
      const std::string raw = upload_key(5, key, id);
      EXPECT_LT(previous, raw);
      previous = raw;
      const auto parsed = parse_upload_key(raw);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->root, 5u);
      EXPECT_EQ(parsed->key, key);
      EXPECT_EQ(parsed->upload_id, id);
    }
  }
}

TEST(Keys, SplitIsABijection) {
  for (const char* key : {"a", "a/", "/", "//", "a//b", "./..", "/a"}) {
    const KeyPath path = split_key(key);
    EXPECT_EQ(std::string(path.directory).append(path.name), key);
    EXPECT_TRUE(path.directory.empty() || path.directory.ends_with('/'));
    EXPECT_EQ(path.name.find('/'), path.name.npos);
  }
  EXPECT_EQ(parent_path("x/y/"), "x/");
  EXPECT_EQ(parent_path("x/"), "");
  EXPECT_EQ(parent_path("//"), "/");
  EXPECT_EQ(last_component("x//"), "/");
  EXPECT_EQ(first_component("x/y/"), "x/");
}

}  // namespace
}  // namespace outcrop::ns
