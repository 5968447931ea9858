#include <gtest/gtest.h>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

using digest::Algorithm;
using digest::ChecksumType;
using digest::Digest;

std::string md5_hex(std::string_view data) {
  return digest::to_hex(as_bytes(Digest::of(Algorithm::md5, as_bytes(data))));
}

class Uploads : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  Uploads() : NamespaceFixture({.min_part_bytes = 100}, 0, 64 << 10) {
    must(ns->create_bucket("b", ""));
  }
  ~Uploads() override {
    expect_clean();
    blobs.collect();
  }

  Task<PartInfo> part_task(std::string key,
                           std::string id,
                           std::uint32_t number,
                           std::string data,
                           Algorithm algorithm) {
    CO_TRY(auto writer, co_await ns->open_write("b", key, data.size()));
    CO_TRYV(co_await test::write_all(*writer, data, 10'000));
    digest::Checksum checksum{.algorithm = algorithm,
                              .value = Digest::of(algorithm, as_bytes(data))};
    co_return co_await ns->put_part("b", key, id, number, std::move(writer), md5_hex(data),
                                    std::move(checksum));
  }
  PartInfo part(std::string key,
                std::string id,
                std::uint32_t number,
                std::string data,
                Algorithm algorithm = Algorithm::none) {
    return must(part_task(std::move(key), std::move(id), number, std::move(data), algorithm));
  }
  UploadInfo create(std::string key,
                    Algorithm algorithm = Algorithm::none,
                    ChecksumType type = ChecksumType::full_object) {
    return must(ns->create_upload("b", key, {.content_type = "t", .headers = {}, .user_meta = {}},
                                  algorithm, type));
  }
  Result<ObjectInfo> complete(std::string key, std::string id, std::vector<CompletePart> parts) {
    return run(ns->complete_upload(
        "b", key, id,
        {.parts = std::move(parts), .conditions = {}, .object_size = {}, .checksum = {}}));
  }
};

TEST_F(Uploads, PartsBecomeOneObject) {
  const std::string id = create("d/k").upload_id;
  const std::string one(200'000, '1'), two(150, '2'), three(5, '3');
  part("d/k", id, 7, two);
  part("d/k", id, 1, "replaced");
  part("d/k", id, 1, one);
  part("d/k", id, 9, three);
  part("d/k", id, 10, "left out");
  EXPECT_EQ(get("d/k").error().code(), Errc::no_such_key);
  const auto info =
      complete("d/k", id, {{1, md5_hex(one), {}}, {7, md5_hex(two), {}}, {9, md5_hex(three), {}}});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->size, one.size() + two.size() + three.size());
  std::string raw;
  for (const std::string& p : {one, two, three}) {
    raw += Digest::of(Algorithm::md5, as_bytes(p));
  }
  EXPECT_EQ(info->etag, md5_hex(raw) + "-3");
  ASSERT_EQ(info->parts.size(), 3u);
  EXPECT_EQ(info->parts[1].number, 7u);
  EXPECT_EQ(info->parts[1].size, 150u);
  EXPECT_EQ(info->attributes.content_type, "t");
  EXPECT_EQ(get("d/k").value(), one + two + three);
  blobs.collect();
  EXPECT_EQ(blobs.bytes(), info->size);
  EXPECT_EQ(get("d/k").value(), one + two + three);
  EXPECT_EQ(run(ns->get_upload("b", "d/k", id)).error().code(), Errc::no_such_upload);

  // The same question again has the same answer, as long as the object is that result.
  EXPECT_EQ(complete("d/k", id, {{1, md5_hex(one), {}}}).value().ino, info->ino);
  put("d/k", "other");
  EXPECT_EQ(complete("d/k", id, {{1, md5_hex(one), {}}}).error().code(), Errc::no_such_upload);
}

TEST_F(Uploads, WrongCompletesChangeNothing) {
  const std::string id = create("k").upload_id;
  const std::string big(100, 'x'), small(99, 'y');
  part("k", id, 1, big);
  part("k", id, 2, small);
  part("k", id, 3, big);
  const auto code = [&](std::vector<CompletePart> parts) {
    return complete("k", id, std::move(parts)).error().code();
  };
  EXPECT_EQ(code({}), Errc::invalid_argument);
  EXPECT_EQ(code({{2, md5_hex(small), {}}, {1, md5_hex(big), {}}}), Errc::invalid_part_order);
  EXPECT_EQ(code({{1, md5_hex(big), {}}, {1, md5_hex(big), {}}}), Errc::invalid_part_order);
  EXPECT_EQ(code({{1, md5_hex(small), {}}}), Errc::invalid_part);
  EXPECT_EQ(code({{4, md5_hex(big), {}}}), Errc::invalid_part);
  EXPECT_EQ(code({{1, md5_hex(big), "sum"}}), Errc::invalid_part);
  EXPECT_EQ(code({{2, md5_hex(small), {}}, {3, md5_hex(big), {}}}), Errc::entity_too_small);
  CompleteRequest request{
      .parts = {{1, md5_hex(big), {}}}, .conditions = {}, .object_size = 99, .checksum = {}};
  EXPECT_EQ(run(ns->complete_upload("b", "k", id, request)).error().code(), Errc::invalid_argument);
  put("k", "there");
  request.object_size = 100;
  request.conditions.if_none_match = "*";
  EXPECT_EQ(run(ns->complete_upload("b", "k", id, request)).error().code(),
            Errc::precondition_failed);
  EXPECT_EQ(get("k").value(), "there");
  EXPECT_EQ(complete("k", "wrong", {{1, md5_hex(big), {}}}).error().code(), Errc::no_such_upload);
  EXPECT_TRUE(complete("k", id, {{1, md5_hex(big), {}}, {2, md5_hex(small), {}}}));
  EXPECT_EQ(get("k").value(), big + small);
}

TEST_F(Uploads, ChecksumsCombine) {
  const std::string one(300, 'a'), two(70, 'b');
  for (const auto [algorithm, type] : {std::pair{Algorithm::crc32, ChecksumType::full_object},
                                       {Algorithm::crc32c, ChecksumType::full_object},
                                       {Algorithm::crc64nvme, ChecksumType::full_object},
                                       {Algorithm::crc32, ChecksumType::composite},
                                       {Algorithm::sha256, ChecksumType::composite}}) {
    const std::string id = create("k", algorithm, type).upload_id;
    part("k", id, 1, one, algorithm);
    part("k", id, 2, two, algorithm);
    const std::string expected =
        type == ChecksumType::full_object
            ? Digest::of(algorithm, as_bytes(one + two))
            : Digest::of(algorithm, as_bytes(Digest::of(algorithm, as_bytes(one)) +
                                             Digest::of(algorithm, as_bytes(two))));
    CompleteRequest request{
        .parts = {{1, md5_hex(one), Digest::of(algorithm, as_bytes(one))}, {2, md5_hex(two), {}}},
        .conditions = {},
        .object_size = {},
        .checksum = digest::Checksum{algorithm, type, "wrong"}};
    EXPECT_EQ(run(ns->complete_upload("b", "k", id, request)).error().code(), Errc::bad_digest);
    request.checksum->value = expected;
    const ObjectInfo info = must(ns->complete_upload("b", "k", id, request));
    EXPECT_EQ(info.checksum.value, expected);
    EXPECT_EQ(info.checksum.type, type);
    EXPECT_EQ(info.parts[1].checksum, Digest::of(algorithm, as_bytes(two)));
  }
}

TEST_F(Uploads, CopiedPartsShareExtentsOfARange) {
  std::string data(300'000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<char>(i * 31 >> 3);
  }
  put("src", data, {.attributes = {}, .etag = md5_hex(data), .checksum = {}, .conditions = {}});
  put("inline", "0123456789");
  const std::string id = create("k").upload_id;
  auto source = must(ns->open_read("b", "src"));
  auto tiny = must(ns->open_read("b", "inline"));
  const auto copy = [&](std::uint32_t number, ObjectReader& from, ByteRange range) {
    return must(ns->copy_part("b", "k", id, number, from, range, "", {})).etag;
  };
  std::vector<CompletePart> parts = {{1, copy(1, *source, {10, 131'000}), {}},
                                     {2, copy(2, *source, {0, 300'000}), {}},
                                     {3, copy(3, *source, {65'536, 65'536}), {}},
                                     {4, copy(4, *tiny, {2, 5}), {}}};
  EXPECT_EQ(parts[1].etag, md5_hex(data));
  EXPECT_EQ(run(ns->copy_part("b", "k", id, 5, *source, {300'000, 1}, "", {})).error().code(),
            Errc::range_not_satisfiable);
  source.reset();
  EXPECT_TRUE(remove("src").value());
  blobs.collect();
  expect_clean();
  ASSERT_TRUE(complete("k", id, parts));
  blobs.collect();
  const std::string expected =
      data.substr(10, 131'000) + data + data.substr(65'536, 65'536) + "23456";
  EXPECT_EQ(get("k").value(), expected);
  auto reader = must(ns->open_read("b", "k"));
  for (std::size_t at = 0; at + 7 < expected.size(); at += 4999) {
    EXPECT_EQ(must(test::read_range(*reader, {at, 7})), expected.substr(at, 7));
  }
  // A copy of a range of a copy: pieces of pieces.
  const std::string again = create("k2").upload_id;
  const std::string etag =
      must(ns->copy_part("b", "k2", again, 1, *reader, {131'000, 100'000}, "", {})).etag;
  ASSERT_TRUE(complete("k2", again, {{1, etag, {}}}));
  EXPECT_EQ(get("k2").value(), expected.substr(131'000, 100'000));
}

TEST_F(Uploads, AbortReleasesEverything) {
  const std::string id = create("k").upload_id;
  part("k", id, 1, std::string(300'000, 'x'));
  part("k", id, 2, std::string(3000, 'x'));
  must(ns->abort_upload("b", "k", id));
  EXPECT_EQ(run(ns->abort_upload("b", "k", id)).error().code(), Errc::no_such_upload);
  EXPECT_EQ(run(part_task("k", id, 3, "x", Algorithm::none)).error().code(), Errc::no_such_upload);
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
}

TEST_F(Uploads, PartsAreListedInPages) {
  const std::string id = create("k").upload_id;
  for (const std::uint32_t n : {5u, 1u, 10'000u, 256u}) {
    part("k", id, n, "p" + std::to_string(n));
  }
  const PartList first = must(ns->list_parts("b", "k", id, 0, 2));
  ASSERT_EQ(first.parts.size(), 2u);
  EXPECT_EQ(first.parts[1].number, 5u);
  EXPECT_TRUE(first.truncated);
  const PartList rest = must(ns->list_parts("b", "k", id, 5, 2));
  ASSERT_EQ(rest.parts.size(), 2u);
  EXPECT_EQ(rest.parts[1].number, 10'000u);
  EXPECT_FALSE(rest.truncated);
  EXPECT_EQ(must(ns->list_parts("b", "k", id, 10'000, 2)).parts.size(), 0u);
  EXPECT_EQ(must(ns->list_parts("b", "k", id, 0, 0)).parts.size(), 0u);
  EXPECT_EQ(run(part_task("k", id, 0, "x", Algorithm::none)).error().code(),
            Errc::invalid_argument);
  EXPECT_EQ(run(part_task("k", id, 10'001, "x", Algorithm::none)).error().code(),
            Errc::invalid_argument);
  must(ns->abort_upload("b", "k", id));
}

TEST_F(Uploads, UploadsAreListedByKeyThenByCreation) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const char* key : {"b", "a/1", "a/2", "a", "a/1", "c/x/1", "a"}) {
    all.emplace_back(key, create(key).upload_id);
  }
  std::ranges::sort(all);
  std::vector<std::pair<std::string, std::string>> got;
  UploadListRequest request{
      .prefix = "", .delimiter = "", .key_marker = "", .upload_id_marker = "", .max_uploads = 2};
  for (bool more = true; more;) {
    const UploadList page = must(ns->list_uploads("b", request));
    for (const auto& u : page.uploads) {
      got.emplace_back(u.key, u.upload_id);
    }
    more = page.truncated;
    request.key_marker = page.next_key_marker;
    request.upload_id_marker = page.next_upload_id_marker;
  }
  EXPECT_EQ(got, all);

  const UploadList grouped = must(ns->list_uploads(
      "b", {.prefix = "", .delimiter = "/", .key_marker = "", .upload_id_marker = ""}));
  EXPECT_EQ(grouped.common_prefixes, (std::vector<std::string>{"a/", "c/"}));
  EXPECT_EQ(grouped.uploads.size(), 3u);
  const UploadList after = must(ns->list_uploads(
      "b", {.prefix = "", .delimiter = "/", .key_marker = "a/", .upload_id_marker = ""}));
  EXPECT_EQ(after.common_prefixes, (std::vector<std::string>{"c/"}));
  EXPECT_EQ(after.uploads.size(), 1u);
  const UploadList behind_key = must(ns->list_uploads(
      "b", {.prefix = "a/", .delimiter = "", .key_marker = "a/1", .upload_id_marker = ""}));
  ASSERT_EQ(behind_key.uploads.size(), 1u);
  EXPECT_EQ(behind_key.uploads[0].key, "a/2");
}

TEST_F(Uploads, TenThousandPartsCompleteInOneTransaction) {
  const std::string id = create("k").upload_id;
  const std::string data(120, 'p');
  std::vector<CompletePart> parts;
  for (std::uint32_t n = 1; n <= kMaxParts; ++n) {
    part("k", id, n, data);
    parts.push_back({n, md5_hex(data), {}});
  }
  const auto commits = meta.commits();
  const auto info = complete("k", id, std::move(parts));
  ASSERT_TRUE(info) << info.error().describe();
  EXPECT_EQ(meta.commits(), commits + 1);
  EXPECT_EQ(info->size, 120u * kMaxParts);
  EXPECT_EQ(get("k").value().size(), info->size);
}

}  // namespace
}  // namespace outcrop::ns
