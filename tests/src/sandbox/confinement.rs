//! Finds which protections hold, once for each run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::network::Network;
use super::spec::{Group, Jail, Limits, Protection, Reach, Tier, Wanted};
#[cfg(target_os = "linux")]
use super::{
    allowance::{Allowance, allowance, part},
    broker::Broker,
    group::Groups,
    hidden,
    lack::shows_a_lack,
    probe, self_test, users,
};
use crate::fault::Fault;

/// The confinement of one run.
#[derive(Debug)]
pub struct Confinement {
    tier: Tier,
    statement: Vec<String>,
    protections: Vec<Protection>,
    #[cfg(target_os = "linux")]
    broker: Option<Arc<Broker>>,
    /// Where control groups are made; `None` where that cannot be.
    #[cfg(target_os = "linux")]
    groups: Option<Groups>,
    /// What the machine, or a container, allows all launches together.
    #[cfg(target_os = "linux")]
    allowance: Option<Allowance>,
    /// Protections left out on purpose, to test that the self-test notices.
    without: Vec<String>,
    /// Folders among the system's that no program may see.
    hidden: Vec<PathBuf>,
}

/// What the confinement of a run needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// As in [`crate::Settings`].
    pub launcher: &'a Path,
    /// As in [`crate::Settings`].
    pub scratch: &'a Path,
    /// Folders that no program may see, wherever they lie.
    pub private: &'a [PathBuf],
}

impl Confinement {
    /// Finds the best tier of this system, tries every protection, and fails where they are fewer
    /// than `wanted` requires.
    pub fn begin(wanted: Wanted, surroundings: Surroundings<'_>) -> Result<Arc<Self>, Fault> {
        if wanted == Wanted::Off {
            return Ok(Self::off());
        }
        let found = Self::find(wanted, surroundings)?;
        if wanted == Wanted::Required {
            found.check_required()?;
        }
        Ok(Arc::new(found))
    }

    /// Whether the harness may look into programs. A test leaves that out to be on a system that
    /// shows nothing.
    #[cfg(target_os = "linux")]
    pub(crate) fn may_look(&self) -> bool {
        !self.leaves_out("sight")
    }

    /// Returns the confinement that protects from nothing.
    pub fn off() -> Arc<Self> {
        Arc::new(Self { without: left_out(), ..Self::plain(vec!["--confine off".to_owned()]) })
    }

    fn check_required(&self) -> Result<(), Fault> {
        if self.tier != Tier::Namespaces {
            let why = self.statement[1..].join("; ");
            return Err(Fault(format!(
                "--confine required: full confinement is not available here: {why}"
            )));
        }
        let mut missing =
            self.protections.iter().filter_map(|it| Some((it.name, it.missing.as_ref()?)));
        missing.next().map_or(Ok(()), |(name, why)| {
            Err(Fault(format!("--confine required: not in force: {name} ({why})")))
        })
    }

    #[cfg(target_os = "linux")]
    fn find(wanted: Wanted, surroundings: Surroundings<'_>) -> Result<Self, Fault> {
        let hidden = hidden::among_the_system(surroundings.private)?;
        let tiers: &[Tier] = match wanted {
            Wanted::Landlock => &[Tier::Landlock],
            Wanted::Required => &[Tier::Namespaces],
            Wanted::Auto | Wanted::Off => &[Tier::Namespaces, Tier::Landlock],
        };
        let mut reasons = Vec::new();
        for &tier in tiers {
            let name = if tier == Tier::Namespaces { "namespaces" } else { "Landlock" };
            match Self::try_tier(tier, &hidden, surroundings) {
                Ok(mut found) => {
                    found.statement.extend(reasons);
                    return Ok(found);
                }
                Err(why) if shows_a_lack(&why) => {
                    reasons.push(format!("not active: {name}: {why}"));
                }
                Err(why) => return Err(not_tried(name, &why)),
            }
        }
        match wanted {
            Wanted::Landlock => Err(without_landlock(&reasons.join("; "))),
            _ => Ok(Self::plain(reasons)),
        }
    }

    #[cfg(target_os = "linux")]
    fn try_tier(
        tier: Tier,
        hidden: &[PathBuf],
        surroundings: Surroundings<'_>,
    ) -> std::io::Result<Self> {
        let Surroundings { launcher, scratch, private } = surroundings;
        let broker = match tier {
            Tier::Namespaces => Some(Broker::start(launcher)?),
            _ => None,
        };
        let (without, hidden) = (left_out(), hidden.to_vec());
        let mut found = Self { tier, broker, without, hidden, ..Self::plain(Vec::new()) };
        found.open_to_programs(scratch)?;
        let no_groups = found.find_groups(launcher).err();
        let network = found.network()?;
        let limits = Limits { memory: probe::MEMORY, ..Limits::RUN };
        let reach = Reach { limits, ..Reach::default() };
        let jail = found.jail(&network, &reach, Vec::new())?;
        found.protections = self_test::run(jail, launcher, scratch, private)?;
        found.statement = state(tier, &found.protections);
        found.statement.extend(no_groups.map(|why| format!("without control groups: {why}")));
        Ok(found)
    }

    /// Finds where control groups can be made. The error says why there are none.
    #[cfg(target_os = "linux")]
    fn find_groups(&mut self, launcher: &Path) -> std::io::Result<()> {
        if !self.leaves_out("groups") {
            self.groups = Some(Groups::find(launcher)?);
        }
        Ok(())
    }

    /// Lets the users of programs pass the folder in which theirs are, where they use the folders
    /// themselves. They cannot list it.
    #[cfg(target_os = "linux")]
    fn open_to_programs(&self, scratch: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let has_users = users::are_others() && !self.leaves_out("privileges");
        let is_needed = self.keeps_folders() && has_users;
        let passable = std::fs::Permissions::from_mode(0o711);
        if is_needed { std::fs::set_permissions(scratch, passable) } else { Ok(()) }
    }

    #[cfg(not(target_os = "linux"))]
    fn find(wanted: Wanted, _surroundings: Surroundings<'_>) -> Result<Self, Fault> {
        const NONE: &str = "not active: this system has no confinement";
        match wanted {
            Wanted::Landlock => Err(without_landlock(NONE)),
            _ => Ok(Self::plain(vec![NONE.to_owned()])),
        }
    }

    fn plain(reasons: Vec<String>) -> Self {
        let statement = std::iter::once(Tier::Plain.to_string()).chain(reasons).collect();
        Self {
            tier: Tier::Plain,
            statement,
            protections: Vec::new(),
            #[cfg(target_os = "linux")]
            broker: None,
            #[cfg(target_os = "linux")]
            groups: None,
            #[cfg(target_os = "linux")]
            allowance: allowance(),
            without: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Returns the tier that is in force.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Returns what reports say: the tier, the verified protections, and the missing ones with the
    /// reason.
    pub fn statement(&self) -> Vec<String> {
        self.statement.clone()
    }

    /// Whether each check has a private network.
    pub fn has_private_networks(&self) -> bool {
        self.tier == Tier::Namespaces && !self.leaves_out("network")
    }

    fn leaves_out(&self, protection: &str) -> bool {
        self.without.iter().any(|name| name == protection)
    }

    /// Returns the network for one check.
    pub(crate) fn network(&self) -> std::io::Result<Network> {
        #[cfg(target_os = "linux")]
        if let Some(broker) = self.broker.as_ref().filter(|_| self.has_private_networks()) {
            return Ok(Network::Private(broker.network()?));
        }
        Ok(Network::Shared)
    }

    /// Whether a program must not be started in a folder that is given: without a private file tree
    /// it could change what is in it.
    pub(crate) fn keeps_folders(&self) -> bool {
        self.tier == Tier::Landlock || (self.tier == Tier::Namespaces && self.leaves_out("files"))
    }

    /// Fills a launch's folder, which stands in for a given one, and makes the words of its command
    /// name what is in it. Returns the copies, each with the place that it stands in for.
    #[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "there is no such tier"))]
    pub(crate) fn stand_in(
        &self,
        to: &Path,
        given: Option<&Path>,
        reach: &Reach,
        words: &mut [OsString],
    ) -> std::io::Result<Vec<(PathBuf, PathBuf)>> {
        #[cfg(target_os = "linux")]
        return super::stand_in::fill(to, given, reach, words);
        #[cfg(not(target_os = "linux"))]
        Ok(Vec::new())
    }

    /// Describes how a program is confined in this network. `ports` are the ports that it connects
    /// to.
    pub(crate) fn jail(
        &self,
        network: &Network,
        reach: &Reach,
        ports: Vec<u16>,
    ) -> std::io::Result<Jail> {
        #[cfg(target_os = "linux")]
        let users = self.broker.as_ref().map(|broker| broker.users());
        #[cfg(not(target_os = "linux"))]
        let users = None;
        let limits = self.limits(reach.limits);
        Ok(Jail {
            tier: self.tier,
            reach: Reach { limits, ..reach.clone() },
            network: network.place(),
            users,
            group: self.group(&limits)?,
            ports,
            hidden: self.hidden.iter().filter(|_| !self.leaves_out("hidden")).cloned().collect(),
            without: self.without.clone(),
            self_test: None,
        })
    }

    /// Returns the limits that hold on this machine.
    fn limits(&self, limits: Limits) -> Limits {
        #[cfg(target_os = "linux")]
        return Limits { memory: part(limits.memory, self.allowance.as_ref()), ..limits };
        #[cfg(not(target_os = "linux"))]
        limits
    }

    /// Makes the control group of one launch. Without one where groups are in force, the launch
    /// would not be limited as reports say.
    #[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "there are no groups"))]
    fn group(&self, limits: &Limits) -> std::io::Result<Option<Group>> {
        #[cfg(target_os = "linux")]
        if let Some(groups) = &self.groups {
            let memory = if self.leaves_out("memory") { u64::MAX } else { limits.memory };
            return groups.make(&Limits { memory, ..*limits }).map(Some);
        }
        Ok(None)
    }
}

/// Returns the protections that a test leaves out: the variable names them,
/// separated by commas.
fn left_out() -> Vec<String> {
    let text = std::env::var("SOCKET_PRACTICALS_WITHOUT").unwrap_or_default();
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn without_landlock(why: &str) -> Fault {
    Fault(format!("--confine landlock: this confinement is not available here: {why}"))
}

/// Returns the fault for a tier that could not be tried: that is no reason to have fewer
/// protections.
#[cfg(target_os = "linux")]
fn not_tried(name: &str, why: &std::io::Error) -> Fault {
    Fault(format!(
        "the confinement with {name} could not be tried: {why}; end other programs and try again"
    ))
}

#[cfg(target_os = "linux")]
fn state(tier: Tier, protections: &[Protection]) -> Vec<String> {
    let (mut verified, mut missing) = (Vec::new(), Vec::new());
    for Protection { name, missing: why } in protections {
        match why {
            None => verified.push(*name),
            Some(why) => missing.push(format!("not active: {name} ({why})")),
        }
    }
    let mut statement = vec![tier.to_string(), format!("verified: {}", verified.join(", "))];
    statement.extend(missing);
    statement
}
