// Package iam holds the entities of AWS IAM that Atrium keeps for each
// account (users, access keys, roles, customer managed policies) and decides
// what a principal may do.
package iam
