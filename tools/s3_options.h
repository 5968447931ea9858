// The options by which commands reach an S3 endpoint.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "tools/bench/options.h"

namespace outcrop {

/// `endpoint` and `options` outlive `command`; bench::parse_endpoint() and check_access() say what
/// is wrong with them.
void add_s3_options(CLI::App& command, std::string& endpoint, bench::Options& options);

}  // namespace outcrop
