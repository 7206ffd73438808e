-- Lets slurmctld say which jobs are traced, for sites that want that; the
-- plugin works without. Put what you need into your own job_submit.lua
-- (JobSubmitPlugins=lua in slurm.conf).
--
-- It is a rule of the house, as all of slurmctld's are for what a job does on
-- its own nodes: a user who sets the plugin's variables by hand can still have
-- her own processes traced, with a probe file that was signed for her. Who must
-- not trace at all gets none signed: `probes: []` in policy.yaml.

-- "allow"   every request stands
-- "strip"   the job runs untraced, and its stderr says that the site decided so
-- "refuse"  a job with a request is turned away
-- "enforce" jobs without a request are traced with the probe file of their user
local policy = "allow"

-- For "enforce": user id = path. Each file must be signed for that user.
local probe_files = {
  -- [1001] = "/home/alice/p.json.gz",
}

-- What stands in a comment from our key on, nil without it. JSON may spell any letter \u00XX.
local function request_of(comment)
  local plain = string.gsub(comment or "", "\\u00(%x%x)", function(code)
    return string.char(tonumber(code, 16))
  end)
  return string.match(plain, '"datacrumbs"%s*:(.*)')
end

local function decide(job)
  local request = request_of(job.comment)
  local legacy = request and (string.match(request, '"(probes)"%s*:') or string.match(request, '"(composite)"%s*:'))
  if legacy then
    slurm.log_user('datacrumbs: the key is no longer used: "%s": name a signed probe file with "probe_file"', legacy)
    return slurm.ERROR
  end
  if not request then
    return slurm.SUCCESS
  end
  if policy == "refuse" then
    slurm.log_user("datacrumbs: this site does not trace jobs")
    return slurm.ERROR
  end
  if policy == "strip" then
    -- The nodes take this for the site's word, whatever the plugin sent along.
    job.comment = '{"datacrumbs":{"enable":"no"}}'
  end
  return slurm.SUCCESS
end

function slurm_job_submit(job, partitions, uid)
  local path = probe_files[uid]
  if policy == "enforce" and path and (job.comment == nil or job.comment == "") then
    path = string.gsub(path, '[\\"]', "\\%0")
    job.comment = '{"datacrumbs":{"enable":"yes","probe_file":"' .. path .. '"}}'
  end
  return decide(job)
end

-- A comment that is set later is a request as well.
function slurm_job_modify(job, old, partitions, uid)
  return decide(job)
end
