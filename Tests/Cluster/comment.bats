#!/usr/bin/env bats
# The job's comment carries the request, and never at the cost of the user's own.

load suite

submit_with_comment() {
  script job.sh <<<true
  job=$(submit "${traced[@]}" --hold --comment="$1" job.sh)
}

teardown() {
  on login scancel --user=alice
  await_idle
  assert_nothing_left
}

@test "a text stays beside the request" {
  submit_with_comment 'hello world'
  is "the comment" "${comment%\}},\"comment\":\"hello world\"}" "$(comment_of "$job")"
}

@test "a JSON object gains the request" {
  submit_with_comment '{"project":"crumbs","tags":[1,2]}'
  is "the project" crumbs "$(comment_of "$job" | jq -r .project)"
  is "the tags" '[1,2]' "$(comment_of "$job" | jq -c .tags)"
  is "the request" "$comment" "$(comment_of "$job" | jq -c '{datacrumbs}')"
}

@test "an older request in the comment is renewed" {
  submit_with_comment '{"datacrumbs":{"enable":"yes","probe_file":"/old"},"a":1}'
  is "the request" "$comment" "$(comment_of "$job" | jq -c '{datacrumbs}')"
  is "the other member" 1 "$(comment_of "$job" | jq .a)"
}

@test "quotes, backslashes and umlauts come back as they were" {
  text=$'say "hé" to C:\\temp, ½ & \'more\''
  submit_with_comment "$text"
  is "the text" "$text" "$(comment_of "$job" | jq -r .comment)"
}

@test "a comment without a request is left as it is" {
  script job.sh <<<true
  job=$(submit --hold --comment='{"a": 1}' job.sh)
  is "the comment" '{"a": 1}' "$(comment_of "$job")"
}
