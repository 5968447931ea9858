// What an S3 server has to do, each as one check against a scratch bucket.
#pragma once
#include <string>
#include <string_view>

#include "tools/selftest/checklist.h"
#include "tools/selftest/http_client.h"

namespace outcrop::selftest {

/// Fails with what was expected and what came. Makes `bucket`, which must not be there yet.
class S3Checks {
 public:
  S3Checks(HttpClient& client, std::string bucket, std::string region)
      : x_client(client), x_bucket(std::move(bucket)), x_region(std::move(region)) {}

  /// All of them; the bucket and what is in it stay. What follows a bucket that cannot be made is
  /// skipped.
  Async<> run(Checklist& list);
  /// Removes everything in the bucket, unfinished uploads too, and the bucket.
  Task<> clean_up();

  Task<> put(std::string_view key, std::string body, Pairs headers = {});
  /// Fails unless the object is there with exactly these bytes.
  Task<> expect_object(std::string_view key, std::string_view body);
  Task<> expect_gone(std::string_view key);
  Task<> remove(std::string_view key);

 private:
  Task<Reply> call(std::string method,
                   std::string_view key,
                   Pairs query = {},
                   Pairs headers = {},
                   std::string body = {},
                   Signing signing = Signing::header);
  Task<> bucket();
  Task<> unknown_bucket();
  Task<> object();
  Task<> missing_object();
  Task<> ranges();
  Task<> conditions();
  Task<> copy();
  Task<> multipart();
  Task<> abort_upload();
  Task<> broken_off();
  Task<> listing();
  Task<> delimiter();
  Task<> delete_many();
  Task<> checksums();
  Task<> wrong_checksums();
  Task<> presigned();
  Task<> signatures();

  /// Half of the body of a PUT, and no more.
  Task<> put_half(std::string_view key, std::string body, Pairs query = {});
  Task<std::string> create_upload(std::string_view key);
  Task<std::string> upload_part(std::string_view key,
                                const std::string& id,
                                int number,
                                std::string body);
  Task<std::vector<std::string>> list(Pairs query, std::string_view tag);
  Task<> delete_keys(const std::vector<std::string>& keys);
  Task<> abort_all();
  Task<> remove_all();

  HttpClient& x_client;
  const std::string x_bucket, x_region;
};

/// The texts of all <tag>...</tag>, with entities resolved.
std::vector<std::string> xml_texts(std::string_view xml, std::string_view tag);
std::string xml_escape(std::string_view text);

}  // namespace outcrop::selftest
