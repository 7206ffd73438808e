-- Lets slurmctld decide which jobs are traced, for sites that want that; the
-- plugin works without. Put what you need into your own job_submit.lua
-- (JobSubmitPlugins=lua in slurm.conf).

-- "allow"   every request stands
-- "strip"   the job runs untraced, and its stderr says that the site decided so
-- "refuse"  a job with a request is turned away
-- "enforce" jobs without a request are traced with the probe file of their user
local policy = "allow"

-- For "enforce": user id = path. Each file must be signed for that user.
local probe_files = {
  -- [1001] = "/home/alice/p.json.gz",
}

local function request_of(comment)
  return string.match(comment or "", '"datacrumbs"%s*:%s*(%b{})')
end

function slurm_job_submit(job, partitions, uid)
  local request = request_of(job.comment)
  local legacy = request and string.match(request, '"(probes)"%s*:')
    or request and string.match(request, '"(composite)"%s*:')
  if legacy then
    slurm.log_user('datacrumbs: the key is no longer used: "%s": name a signed probe file with "probe_file"', legacy)
    return slurm.ERROR
  end
  if request and policy == "refuse" then
    slurm.log_user("datacrumbs: this site does not trace jobs")
    return slurm.ERROR
  end
  if request and policy == "strip" then
    -- The nodes take this for the site's word, whatever the plugin sent along.
    job.comment = '{"datacrumbs":{"enable":"no"}}'
  end
  if not request and policy == "enforce" and (job.comment == nil or job.comment == "") and probe_files[uid] then
    local path = string.gsub(probe_files[uid], '[\\"]', "\\%0")
    job.comment = '{"datacrumbs":{"enable":"yes","probe_file":"' .. path .. '"}}'
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, old, partitions, uid)
  return slurm.SUCCESS
end
