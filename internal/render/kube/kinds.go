package kube

import (
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// groupVersion takes an apiVersion apart; the core group is "".
func groupVersion(apiVersion string) (group, version string) {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return "", group
	}
	return group, version
}

// clusterKinds are the kinds of built-in groups that have no namespace; all others
// of these groups have one.
func clusterKinds() []string {
	return []string{
		"ComponentStatus", "Namespace", "Node", "PersistentVolume",
		"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
		"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
		"CustomResourceDefinition", "APIService", "SelfSubjectReview", "TokenReview",
		"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview",
		"CertificateSigningRequest", "ClusterTrustBundle", "FlowSchema", "PriorityLevelConfiguration",
		"IngressClass", "IPAddress", "ServiceCIDR", "RuntimeClass", "ClusterRole", "ClusterRoleBinding",
		"DeviceClass", "DeviceTaintRule", "ResourceSlice", "PriorityClass",
		"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass",
	}
}

// wellKnown are cluster-scoped kinds of widely used operators, by group. A custom
// resource that stands neither here nor beside its definition has a namespace.
func wellKnown() map[string][]string {
	return map[string][]string{
		"gateway.networking.k8s.io":      {"GatewayClass"},
		"policy.networking.k8s.io":       {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"},
		"snapshot.storage.k8s.io":        {"VolumeSnapshotClass", "VolumeSnapshotContent"},
		"groupsnapshot.storage.k8s.io":   {"VolumeGroupSnapshotClass", "VolumeGroupSnapshotContent"},
		"cert-manager.io":                {"ClusterIssuer"},
		"trust.cert-manager.io":          {"Bundle"},
		"policy.cert-manager.io":         {"CertificateRequestPolicy"},
		"external-secrets.io":            {"ClusterExternalSecret", "ClusterPushSecret", "ClusterSecretStore"},
		"generators.external-secrets.io": {"ClusterGenerator"},
		"kyverno.io":                     {"ClusterCleanupPolicy", "ClusterPolicy", "GlobalContextEntry"},
		"policies.kyverno.io":            {"DeletingPolicy", "GeneratingPolicy", "ImageValidatingPolicy", "MutatingPolicy", "ValidatingPolicy"},
		"constraints.gatekeeper.sh":      {"*"},
		"templates.gatekeeper.sh":        {"ConstraintTemplate"},
		"mutations.gatekeeper.sh":        {"Assign", "AssignImage", "AssignMetadata", "ModifySet"},
		"cilium.io":                      {"CiliumBGPAdvertisement", "CiliumBGPClusterConfig", "CiliumBGPNodeConfig", "CiliumBGPNodeConfigOverride", "CiliumBGPPeerConfig", "CiliumCIDRGroup", "CiliumClusterwideEnvoyConfig", "CiliumClusterwideNetworkPolicy", "CiliumEgressGatewayPolicy", "CiliumExternalWorkload", "CiliumIdentity", "CiliumL2AnnouncementPolicy", "CiliumLoadBalancerIPPool", "CiliumNode", "CiliumPodIPPool"},
		"projectcalico.org":              {"BGPConfiguration", "BGPFilter", "BGPPeer", "ClusterInformation", "FelixConfiguration", "GlobalNetworkPolicy", "GlobalNetworkSet", "HostEndpoint", "IPPool", "IPReservation", "KubeControllersConfiguration", "Node", "Profile", "Tier"},
		"crd.projectcalico.org":          {"BGPConfiguration", "BGPFilter", "BGPPeer", "ClusterInformation", "FelixConfiguration", "GlobalNetworkPolicy", "GlobalNetworkSet", "HostEndpoint", "IPPool", "IPReservation", "KubeControllersConfiguration", "Tier"},
		"operator.tigera.io":             {"APIServer", "Goldmane", "ImageSet", "Installation", "TigeraStatus", "Whisker"},
		"keda.sh":                        {"ClusterTriggerAuthentication"},
		"karpenter.sh":                   {"NodeClaim", "NodeOverlay", "NodePool"},
		"karpenter.k8s.aws":              {"EC2NodeClass"},
		"karpenter.azure.com":            {"AKSNodeClass"},
		"argoproj.io":                    {"ClusterAnalysisTemplate", "ClusterWorkflowTemplate"},
		"tekton.dev":                     {"ClusterTask"},
		"triggers.tekton.dev":            {"ClusterInterceptor", "ClusterTriggerBinding"},
		"operator.tekton.dev":            {"TektonChain", "TektonConfig", "TektonDashboard", "TektonHub", "TektonPipeline", "TektonResult", "TektonTrigger"},
		"pkg.crossplane.io":              {"Configuration", "ConfigurationRevision", "DeploymentRuntimeConfig", "Function", "FunctionRevision", "ImageConfig", "Provider", "ProviderRevision"},
		"apiextensions.crossplane.io":    {"CompositeResourceDefinition", "Composition", "CompositionRevision", "EnvironmentConfig", "Usage"},
		"kueue.x-k8s.io":                 {"AdmissionCheck", "ClusterQueue", "Cohort", "MultiKueueCluster", "MultiKueueConfig", "ProvisioningRequestConfig", "ResourceFlavor", "Topology", "WorkloadPriorityClass"},
		"fluentbit.fluent.io":            {"ClusterFilter", "ClusterFluentBitConfig", "ClusterInput", "ClusterMultilineParser", "ClusterOutput", "ClusterParser"},
		"security.openshift.io":          {"SecurityContextConstraints"},
		"nvidia.com":                     {"ClusterPolicy", "NVIDIADriver"},
		"capsule.clastix.io":             {"CapsuleConfiguration", "Tenant"},
		"scheduling.volcano.sh":          {"Queue"},
		"flows.netobserv.io":             {"FlowCollector"},
		"policy.karmada.io":              {"ClusterOverridePolicy", "ClusterPropagationPolicy"},
		"configuration.konghq.com":       {"KongClusterPlugin", "KongLicense", "KongVault"},
		"elbv2.k8s.aws":                  {"IngressClassParams"},
	}
}

// rank is the place of a kind in its wave.
type rank int

// The ranks: what others are made of, what they read, what runs, and the rest.
const (
	rankDefinitions rank = iota
	rankConfig
	rankWorkloads
	rankRest
)

// String is the word of the rank in a tier's name.
func (r rank) String() string {
	return [...]string{"definitions", "config", "workloads", "rest"}[r]
}

// rankOf tells a kind's rank. Custom resources are the rest.
func rankOf(group, kind string) rank {
	switch {
	case !resource.BuiltIn(group):
		return rankRest
	case slices.Contains([]string{
		"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "VolumeAttributesClass", "RuntimeClass",
		"IngressClass", "CSIDriver", "DeviceClass",
	}, kind):
		return rankDefinitions
	case slices.Contains([]string{
		"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Secret", "PersistentVolume",
		"PersistentVolumeClaim", "Service", "Endpoints", "EndpointSlice", "NetworkPolicy", "LimitRange", "ResourceQuota",
		"ResourceClaim", "ResourceClaimTemplate", "ResourceSlice", "PodTemplate", "Lease", "FlowSchema", "PriorityLevelConfiguration",
		"ClusterTrustBundle", "CertificateSigningRequest", "ServiceCIDR", "IPAddress",
	}, kind):
		return rankConfig
	case slices.Contains([]string{
		"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod", "Job", "CronJob",
	}, kind):
		return rankWorkloads
	}
	return rankRest
}
