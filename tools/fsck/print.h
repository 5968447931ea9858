// The report of `outcrop fsck` for people and for programs. Pure.
#pragma once
#include <string>

#include "storage/check/report.h"

namespace outcrop::tools {

inline constexpr int kClean = 0, kProblems = 1, kNotChecked = 2;  ///< exit codes

/// One line for each fact and each finding; `why` it ended early, or empty.
std::string fsck_text(const check::Report& report, const std::string& why);
/// One JSON object; docs/guide/checks.md says what is in it.
std::string fsck_json(const check::Report& report, const std::string& why);
int fsck_exit_code(const check::Report& report, const std::string& why);

}  // namespace outcrop::tools
