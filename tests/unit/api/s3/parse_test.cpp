// The pure parts: headers, XML in and out.
#include "api/s3/headers.h"
#include "api/s3/payload.h"
#include "api/s3/xml_in.h"
#include "api/s3/xml_out.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using Kind = RangeResult::Kind;
struct RangeCase {
  const char* header;
  std::uint64_t size;
  Kind kind;
  std::uint64_t offset = 0, length = 0;
};

TEST(Headers, Ranges) {
  const RangeCase cases[] = {
      {"bytes=0-0", 10, Kind::partial, 0, 1},
      {"bytes=0-", 10, Kind::partial, 0, 10},
      {"bytes=3-5", 10, Kind::partial, 3, 3},
      {"bytes=3-99", 10, Kind::partial, 3, 7},
      {"bytes=9-9", 10, Kind::partial, 9, 1},
      {"bytes=-4", 10, Kind::partial, 6, 4},
      {"bytes=-99", 10, Kind::partial, 0, 10},
      {"bytes=10-", 10, Kind::unsatisfiable},
      {"bytes=10-11", 10, Kind::unsatisfiable},
      {"bytes=-0", 10, Kind::unsatisfiable},
      {"bytes=0-", 0, Kind::unsatisfiable},
      {"bytes=-1", 0, Kind::unsatisfiable},
      {"bytes=99999999999999999999-", 10, Kind::unsatisfiable},
      {"bytes=0-99999999999999999999", 10, Kind::partial, 0, 10},
      {"bytes=5-3", 10, Kind::whole},
      {"bytes=-", 10, Kind::whole},
      {"bytes=a-b", 10, Kind::whole},
      {"bytes=0-1,3-4", 10, Kind::whole},
      {"bytes=+1-2", 10, Kind::whole},
      {"lines=0-1", 10, Kind::whole},
      {"", 10, Kind::whole},
  };
  for (const RangeCase& c : cases) {
    const RangeResult got = resolve_range(c.header, c.size);
    EXPECT_EQ(got.kind, c.kind) << c.header;
    EXPECT_EQ(got.range.offset, c.offset) << c.header;
    EXPECT_EQ(got.range.length, c.length) << c.header;
  }
}

TEST(Headers, Dates) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), 784111777) << text;
  }
  EXPECT_FALSE(parse_http_date("Sun, 06 Nov 1994 08:49:37"));
  EXPECT_FALSE(parse_http_date("784111777"));
  EXPECT_EQ(format_http_date(784111777'000'000'000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_iso_date(784111777'999'999'999), "1994-11-06T08:49:37.000Z");
}

// Against the C library: every month and weekday, leap days, the turns of days and years, and what
// an NFS client may set: times before 1970.
TEST(Headers, DatesOfManyMoments) {
  for (std::int64_t at = -800'000'000; at < 8'000'000'000; at += 7'654'321) {
    for (const std::int64_t seconds : {at, at / 86400 * 86400, at / 86400 * 86400 - 1}) {
      const std::time_t t = seconds;
      std::tm parts{};
      gmtime_r(&t, &parts);
      char text[40];
      std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
      ASSERT_EQ(format_http_date(seconds * 1'000'000'000), text);
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
      ASSERT_EQ(format_iso_date(seconds * 1'000'000'000), text);
    }
  }
}

TEST(Headers, AwsChunkedIsStripped) {
  EXPECT_EQ(strip_aws_chunked("aws-chunked"), "");
  EXPECT_EQ(strip_aws_chunked("aws-chunked,gzip"), "gzip");
  EXPECT_EQ(strip_aws_chunked("gzip, aws-chunked, br"), "gzip,br");
  EXPECT_EQ(strip_aws_chunked("gzip,  br"), "gzip,  br");
}

TEST(XmlOut, EscapingIsReversible) {
  std::string out;
  append_escaped(out, "a&b<c>d\"e\n\x01\x7f\xc3\xa9");
  EXPECT_EQ(out, "a&amp;b&lt;c&gt;d&quot;e&#xa;&#x1;&#x7f;\xc3\xa9");
  out.clear();
  append_escaped(out, "x\xff\xc3y\xed\xa0\x80");
  EXPECT_EQ(out, "x\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

std::string nested(int depth) {
  std::string open, close;
  for (int i = 0; i < depth; ++i) {
    open += "<a>";
    close = "</a>" + close;
  }
  return "<CreateBucketConfiguration>" + open + close + "</CreateBucketConfiguration>";
}

TEST(XmlIn, BoundsAreChecked) {
  EXPECT_EQ(parse_create_bucket(nested(kMaxXmlDepth)).error().code, Code::not_implemented);
  EXPECT_EQ(parse_create_bucket(nested(kMaxXmlDepth + 1)).error().code, Code::malformed_xml);
  EXPECT_EQ(parse_create_bucket(nested(100'000)).error().code, Code::malformed_xml);
  const std::string head = "<CreateBucketConfiguration>";
  const std::string tail = "</CreateBucketConfiguration>";
  const std::string blanks(kMaxDocumentBytes - head.size() - tail.size(), ' ');
  EXPECT_TRUE(parse_create_bucket(head + blanks + tail));
  EXPECT_FALSE(parse_create_bucket(head + blanks + " " + tail));
}

TEST(XmlIn, WhatIsRefused) {
  for (const std::string bad :
       {"<!DOCTYPE d [<!ENTITY e \"x\">]><Delete><Object><Key>&e;</Key></Object></Delete>",
        "<Delete><Object><Key>a&#0;b</Key></Object></Delete>",
        "<Delete><Object><Key>a&#x110000;</Key></Object></Delete>",
        "<Delete><Object><Key>a&#4294967296;</Key></Object></Delete>",
        "<Delete><Object><Key>a\xff</Key></Object></Delete>",
        "<Delete><Object><Key>a\xed\xa0\x80</Key></Object></Delete>",
        "<Delete><!-- \xff --><Object><Key>a</Key></Object></Delete>",
        "<Delete><Object><Key></Key></Object></Delete>", "<Delete></Delete>",
        "<Delete><Object><Name>a</Name></Object></Delete>", "<Other/>", "plain", "",
        "<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
        "<Delete><Object><Key><b/></Key></Object></Delete>"}) {
    EXPECT_EQ(parse_delete(bad).error().code, Code::malformed_xml) << bad;
  }
}

TEST(XmlIn, Keys) {
  const auto document = parse_delete(
      "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Object><Key> &lt;a&gt;&#10;&#x1F600;&#1; </Key></Object>\n"
      "<Object><Key> </Key></Object><Object><Key><![CDATA[<x>]]>y</Key></Object></Delete>");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->entries[0].key, " <a>\n\xf0\x9f\x98\x80\x01 ");
  EXPECT_EQ(document->entries[1].key, " ");
  EXPECT_EQ(document->entries[2].key, "<x>y");
}

TEST(XmlIn, CompleteParts) {
  const auto parts = parse_complete(
      "<CompleteMultipartUpload><Part><ETag>&quot;abc&quot;</ETag><PartNumber>2</PartNumber>"
      "<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>",
      digest::Algorithm::crc32);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->front().number, 2U);
  EXPECT_EQ(parts->front().etag, "abc");
  EXPECT_EQ(parts->front().checksum, std::string(4, '\0'));
  std::string most = "<CompleteMultipartUpload>";
  for (std::uint32_t n = 1; n <= ns::kMaxParts; ++n) {
    most += "<Part><PartNumber>" + std::to_string(n) + "</PartNumber><ETag>e</ETag></Part>";
  }
  EXPECT_TRUE(parse_complete(most + "</CompleteMultipartUpload>", digest::Algorithm::none));
  most += "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>";
  EXPECT_FALSE(parse_complete(most + "</CompleteMultipartUpload>", digest::Algorithm::none));
}

}  // namespace
}  // namespace outcrop::s3::test
