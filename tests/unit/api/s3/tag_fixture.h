// An S3 service whose objects have tags, and policies that ask for them.
#pragma once
#include "api/s3/tags.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {

using Tags = ns::StringPairs;

inline std::string tagging(const Tags& tags) {
  std::string xml = "<Tagging><TagSet>";
  for (const auto& [key, value] : tags) {
    xml += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>";
  }
  return xml + "</TagSet></Tagging>";
}

/// Both as JSON.
inline std::string allow(const std::string& action, const std::string& condition) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":)" + action +
         R"(,"Resource":"*","Condition":)" + condition + "}}";
}

class TagTest : public S3Test {
 protected:
  Reply set(const std::string& key, const Tags& tags, Headers headers = {}) {
    return send("PUT", "/bucket/" + key + "?tagging", std::move(headers), {tagging(tags)});
  }
  Tags tags(const std::string& key) {
    const Reply reply = send("GET", "/bucket/" + key + "?tagging");
    EXPECT_EQ(reply.status, 200) << reply.body;
    Tags out;
    const auto keys = texts(reply.body, "Key"), values = texts(reply.body, "Value");
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out.emplace_back(keys[i], values[i]);
    }
    return out;
  }
};

}  // namespace outcrop::s3::test
