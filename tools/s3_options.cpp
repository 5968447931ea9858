#include "tools/s3_options.h"

namespace outcrop {

void add_s3_options(CLI::App& command, std::string& endpoint, bench::Options& options) {
  command.add_option("--endpoint", endpoint, "http://HOST:PORT or https://HOST[:PORT]")
      ->capture_default_str();
  command.add_option("--access-key", options.access_key, "Access key ID")
      ->envname("AWS_ACCESS_KEY_ID");
  command.add_option("--secret-key", options.secret_key, "Secret access key")
      ->envname("AWS_SECRET_ACCESS_KEY");
  command.add_option("--session-token", options.session_token, "Token of temporary credentials")
      ->envname("AWS_SESSION_TOKEN");
  command.add_option("--region", options.region, "Region to sign for")->capture_default_str();
  command.add_option("--ca-file", options.ca_file,
                     "CA certificates for https (default: the system's)");
  command.add_flag("--insecure", options.insecure, "Accept any certificate");
}

}  // namespace outcrop
