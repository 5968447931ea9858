// Attributes: the codec alone, then through GETATTR, SETATTR, VERIFY, NVERIFY, ACCESS.
#include "api/nfs/v4/attributes.h"

#include "api/nfs/v4/names.h"
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using nfs::v4::AttributeSource;
using nfs::v4::SetPurpose;
using nfs::v4::SetRequest;
using nfs::v4::WireAttributes;
using A = Nfs4Attributes;
using Attributes = Nfs4Test;

Status parse(A attributes, unsigned minor, SetPurpose purpose, SetRequest& out) {
  static std::string values;
  values = attributes.values.flatten();
  return nfs::v4::parse_settable({.given = attributes.given, .values = as_bytes(values)}, minor,
                                 purpose, 5, out);
}
Status parse(A attributes, unsigned minor = 2, SetPurpose purpose = SetPurpose::change) {
  SetRequest out;
  return parse(attributes, minor, purpose, out);
}

TEST(AttributeCodec, GoldenGetattr) {
  AttributeSource from;
  from.file.id = {.root = 7, .ino = 9};
  from.file.mode = 0640;
  from.file.uid = 1000;
  from.file.size = 0x1'0000'0002;
  from.file.mtime_ns = -1;
  nfs::XdrWriter out;
  nfs::v4::write_attributes(out,
                            {Attribute::type, Attribute::size, Attribute::mode, Attribute::owner,
                             Attribute::time_modify, Attribute::time_modify_set},
                            from);
  const std::string expected(
      "\0\0\0\2"          // two words
      "\0\0\0\x12"        // type, size
      "\0\x20\0\x12"      // mode, owner, time_modify
      "\0\0\0\x24"        // 36 bytes
      "\0\0\0\1"          // NF4REG
      "\0\0\0\1\0\0\0\2"  // size
      "\0\0\1\xa0"        // 0640
      "\0\0\0\4"
      "1000"
      "\xff\xff\xff\xff\xff\xff\xff\xff\x3b\x9a\xc9\xff",  // 1969-12-31T23:59:59.999999999
      52);
  EXPECT_EQ(out.flatten(), expected);
}

TEST(AttributeCodec, WhatIsSupportedGrowsWithTheMinorVersion) {
  const auto supported = nfs::v4::supported_attributes;
  EXPECT_TRUE(supported(0).within(supported(1)));
  EXPECT_TRUE(supported(1).within(supported(2)));
  EXPECT_FALSE(supported(0).has(Attribute::suppattr_exclcreat));
  EXPECT_FALSE(supported(1).has(Attribute::xattr_support));
  EXPECT_TRUE(supported(2).has(Attribute::mode_umask));
}

TEST(AttributeCodec, SettableValues) {
  SetRequest out;
  EXPECT_EQ(
      parse(A().u64(Attribute::size, 5).u32(Attribute::mode, 0600).text(Attribute::owner, "12"), 2,
            SetPurpose::change, out),
      Status::ok);
  EXPECT_EQ(out.set.size, 5U);
  EXPECT_EQ(out.set.mode, 0600U);
  EXPECT_EQ(out.set.uid, 12U);
  EXPECT_FALSE(out.times_now);
  SetRequest times;
  EXPECT_EQ(parse(A().time(Attribute::time_access_set, {}).time(Attribute::time_modify_set, {}), 0,
                  SetPurpose::change, times),
            Status::ok);
  EXPECT_EQ(times.set.mtime_ns, 5);
  EXPECT_TRUE(times.times_now);
  SetRequest mixed;
  EXPECT_EQ(parse(A().time(Attribute::time_access_set, {}).time(Attribute::time_modify_set, 3), 0,
                  SetPurpose::change, mixed),
            Status::ok);
  EXPECT_EQ(mixed.set.mtime_ns, 3'000'000'000);
  EXPECT_FALSE(mixed.times_now);
}

TEST(AttributeCodec, WhatIsRefusedAndHow) {
  EXPECT_EQ(parse(A().u64(Attribute::fileid, 5)), Status::inval);
  EXPECT_EQ(parse(A().u32(static_cast<Attribute>(12), 0)), Status::attrnotsupp);  // acl
  EXPECT_EQ(parse(A().u32(Attribute::mode, 010000)), Status::inval);
  EXPECT_EQ(parse(A().text(Attribute::owner, "alice@example.org")), Status::badowner);
  EXPECT_EQ(parse(A().text(Attribute::owner, "")), Status::inval);
  EXPECT_EQ(parse(A().text(Attribute::owner, "4294967295")), Status::badowner);
  EXPECT_EQ(parse(A().text(Attribute::owner, "4294967296")), Status::badowner);
  EXPECT_EQ(parse(A().u64(Attribute::size, UINT64_MAX)), Status::fbig);
  EXPECT_EQ(parse(A().time(Attribute::time_modify_set, INT64_MAX)), Status::inval);
  A late;
  late.given.add(Attribute::time_modify_set);
  late.values.u32(1);
  late.values.i64(5);
  late.values.u32(1'000'000'000);
  EXPECT_EQ(parse(late), Status::inval);
}

TEST(AttributeCodec, ValuesMustFitTheirBitmap) {
  A nothing;
  nothing.given.add(Attribute::mode);
  EXPECT_EQ(parse(nothing), Status::badxdr);
  A more = A().u32(Attribute::mode, 0644);
  more.values.u32(1);
  EXPECT_EQ(parse(more), Status::badxdr);
}

TEST(AttributeCodec, UmaskOnlyWhereObjectsAreMade) {
  A masked;
  masked.given.add(Attribute::mode_umask);
  masked.values.u32(0666);
  masked.values.u32(022);
  SetRequest out;
  EXPECT_EQ(parse(masked, 2, SetPurpose::create, out), Status::ok);
  EXPECT_EQ(out.set.mode, 0644U);
  EXPECT_EQ(parse(masked), Status::inval);
  EXPECT_EQ(parse(masked, 1), Status::attrnotsupp);
  A both = A().u32(Attribute::mode, 0644);
  both.given.add(Attribute::mode_umask);
  both.values.u64(0);
  EXPECT_EQ(parse(both, 2, SetPurpose::create), Status::inval);
}

TEST(Names, Utf8) {
  using nfs::v4::valid_utf8;
  for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(valid_utf8(good)) << good;
  }
  for (const char* bad : {"\xc0\xc1", "\xe0\x8a", "\xc0\xaf", "\xfc\x80\x80\x80\x80\xaf",
                          "\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf\xbe", "\xe3\xc0\xc0", "\x80",
                          "\xfe", "\xf0 ", "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    EXPECT_FALSE(valid_utf8(bad)) << bad;
  }
}

TEST(Names, WhatNoEntryIsCalled) {
  using nfs::v4::check_name;
  EXPECT_EQ(check_name(""), Status::inval);
  EXPECT_EQ(check_name("."), Status::badname);
  EXPECT_EQ(check_name(".."), Status::badname);
  EXPECT_EQ(check_name("a/b"), Status::badchar);
  EXPECT_EQ(check_name(std::string_view("a\0b", 3)), Status::badchar);
  EXPECT_EQ(check_name(std::string(255, 'x')), Status::ok);
  EXPECT_EQ(check_name(std::string(256, 'x')), Status::nametoolong);
  EXPECT_EQ(check_name("\xff"), Status::inval);
}

TEST_F(Attributes, EverySupportedOneHasAValue) {
  for (const unsigned minor : {0U, 1U, 2U}) {
    client.minor = minor;
    AttributeSet all = nfs::v4::supported_attributes(minor);
    for (const Attribute a :
         {Attribute::time_access_set, Attribute::time_modify_set, Attribute::mode_umask}) {
      all.remove(a);
    }
    for (const char* path : {"", "data", "data/top"}) {
      const Nfs4Result got = last(C().walk(path).getattr(all));
      EXPECT_EQ(got.status, Status::ok);
      EXPECT_EQ(got.set, all) << minor << ' ' << path;
    }
  }
}

TEST_F(Attributes, QuotasAreThoseOfTheBucket) {
  create("f", "0123456789");
  const Nfs4Result got =
      last(C().walk("data").getattr({Attribute::quota_avail_hard, Attribute::quota_avail_soft,
                                     Attribute::quota_used, Attribute::space_avail}));
  EXPECT_EQ(got.status, Status::ok);
  EXPECT_EQ(got.u64(Attribute::quota_avail_hard), got.u64(Attribute::space_avail));
  EXPECT_EQ(got.u64(Attribute::quota_avail_soft), got.u64(Attribute::space_avail));
  EXPECT_EQ(got.u64(Attribute::quota_used),
            (std::uint64_t{1} << 40) - got.u64(Attribute::space_avail));
  EXPECT_GE(got.u64(Attribute::quota_used), 10U);
}

TEST_F(Attributes, WriteOnlyOnesAreNotRead) {
  EXPECT_EQ(status(C().walk("data").getattr({Attribute::time_modify_set})), Status::inval);
  EXPECT_EQ(status(C().walk("data").readdir(0, {Attribute::mode_umask})), Status::inval);
  client.minor = 0;
  EXPECT_EQ(last(C().walk("data").getattr({Attribute::mode_umask})).set, AttributeSet());
}

TEST_F(Attributes, SetattrSaysWhatItSet) {
  const File file = create("f", "0123456789");
  const Nfs4Result set =
      last(C().putfh(file.handle)
               .setattr(file.stateid, A().u64(Attribute::size, 4).u32(Attribute::mode, 0600)));
  EXPECT_EQ(set.status, Status::ok);
  EXPECT_EQ(set.set, (AttributeSet{Attribute::size, Attribute::mode}));
  const Nfs4Result got = last(C().putfh(file.handle).getattr({Attribute::size, Attribute::mode}));
  EXPECT_EQ(got.u64(Attribute::size), 4U);
  EXPECT_EQ(got.u32(Attribute::mode), 0600U);
  const Nfs4Result bad = last(C().putfh(file.handle).setattr({}, A().u64(Attribute::fileid, 1)));
  EXPECT_EQ(bad.status, Status::inval);
  EXPECT_EQ(bad.set, AttributeSet());
  // The bitmap is there also where the engine refuses before the handler.
  EXPECT_EQ(client.call(C().putrootfh().setattr({}, A().u32(Attribute::mode, 0))).status,
            Status::rofs);
}

TEST_F(Attributes, SizeNeedsAStateidThatAllowsIt) {
  const File file = create("f", "0123456789");
  const File other = create("g");
  const A size = A().u64(Attribute::size, 1);
  EXPECT_EQ(status(C().putfh(file.handle).setattr(other.stateid, size)), Status::bad_stateid);
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, size)), Status::ok);
  Nfs4OpenHow reading;
  reading.access = 1;
  reading.owner = "reader";
  const Stateid id = client.call(C().walk("data").open("f", reading)).find(Op::open).stateid;
  EXPECT_EQ(status(C().putfh(file.handle).setattr(id, size)), Status::openmode);
  EXPECT_EQ(status(C().walk("data").setattr({}, size)), Status::isdir);
}

TEST_F(Attributes, OwnersDecide) {
  const File file = create("f");
  client.credentials.uid = 1001;
  client.credentials.gid = 1001;
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().u32(Attribute::mode, 0777))),
            Status::perm);
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().u64(Attribute::size, 0))),
            Status::access);
  client.credentials.uid = 1000;
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().text(Attribute::owner, "1001"))),
            Status::perm);
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().u32(Attribute::mode, 0666))), Status::ok);
  client.credentials.uid = 1001;
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().time(Attribute::time_modify_set, {}))),
            Status::ok);
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().time(Attribute::time_modify_set, 1))),
            Status::perm);
  client.credentials.uid = 0;
  EXPECT_EQ(status(C().putfh(file.handle).setattr({}, A().text(Attribute::owner, "1001"))),
            Status::ok);
}

TEST_F(Attributes, EveryChangeMovesTheChangeAttribute) {
  const File file = create("f");
  const AttributeSet wanted{Attribute::change};
  C compound;
  compound.putfh(file.handle);
  for (const std::uint32_t mode : {0740U, 0741U, 0742U}) {
    compound.setattr({}, A().u32(Attribute::mode, mode)).getattr(wanted);
  }
  const Nfs4Reply reply = client.call(compound);
  ASSERT_EQ(reply.status, Status::ok);
  const std::uint64_t a = reply.results[3].u64(Attribute::change);
  const std::uint64_t b = reply.results[5].u64(Attribute::change);
  const std::uint64_t c = reply.results[7].u64(Attribute::change);
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
}

TEST_F(Attributes, VerifyComparesBytes) {
  const File file = create("f", "12345");
  const A five = A().u64(Attribute::size, 5);
  const A six = A().u64(Attribute::size, 6);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::verify, five)), Status::ok);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::verify, six)), Status::not_same);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::nverify, five)), Status::same);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::nverify, six)), Status::ok);
  const A acl = A().u32(static_cast<Attribute>(12), 0);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::verify, acl)), Status::attrnotsupp);
  const A now = A().time(Attribute::time_modify_set, {});
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::nverify, now)), Status::inval);
  const A error = A().u32(Attribute::rdattr_error, 0);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::verify, error)), Status::inval);
  A cut;
  cut.given.add(Attribute::size);
  cut.values.u32(0);
  EXPECT_EQ(status(C().putfh(file.handle).verify(Op::verify, cut)), Status::badxdr);
}

std::vector<std::uint64_t> access(Nfs4Client& client, std::string_view path, std::uint32_t wanted) {
  Nfs4Compound c;
  c.walk(path).op(Op::access).out.u32(wanted);
  return client.call(c).last().numbers;
}

TEST_F(Attributes, AccessSaysWhatMeansSomething) {
  using Numbers = std::vector<std::uint64_t>;
  client.minor = 1;
  create("f");
  EXPECT_EQ(access(client, "data/f", 0x3f), (Numbers{0x2d, 0x0d}));
  EXPECT_EQ(access(client, "data", 0x3f), (Numbers{0x1f, 0x1f}));
  EXPECT_EQ(access(client, "data", 0xffff'ffc0), (Numbers{0, 0}));
  EXPECT_EQ(access(client, "ro/f", 0x3f), (Numbers{0x2d, 0x01}));
  EXPECT_EQ(access(client, "", 0x3f), (Numbers{0x1f, 0x03}));
  client.credentials.uid = 1001;
  client.credentials.gid = 1001;
  EXPECT_EQ(access(client, "data/f", 0x3f), (Numbers{0x2d, 0x01}));
  client.minor = 2;
  EXPECT_EQ(access(client, "data/f", 0x1c0), (Numbers{0x1c0, 0x140}));
}

}  // namespace
}  // namespace outcrop::test
