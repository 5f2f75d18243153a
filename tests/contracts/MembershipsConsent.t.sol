// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Members} from "./Members.sol";
import {Verifier, Wallet} from "./Signers.sol";
import {Vm} from "./Vm.sol";

/// @title Admission of applicants that agreed
contract MembershipsConsentTest is Members {
    bytes32 private constant APPLICATION = keccak256("this application");
    uint256 private constant DEADLINE = NOW + 1 days;

    function test_admitByConsent__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(memberships), _writeConsent, REGISTRAR_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_admitByConsent__several__are_admitted_and_say_who_agreed() public {
        IMemberships.Admission[] memory admissions = new IMemberships.Admission[](2);
        IMemberships.Consent[] memory consents = new IMemberships.Consent[](2);
        bytes[] memory lines = new bytes[](4);
        _watch(address(memberships));
        for (uint32 i = 0; i < 2; ++i) {
            uint32 orgId = 5 + i;
            bytes32 applicationId = keccak256(abi.encode(i));
            admissions[i] =
                IMemberships.Admission(orgId, FULL + uint8(i), EXPIRY + i, keccak256(abi.encode(orgId)));
            consents[i] = _consent(_key(orgId), FIRST, admissions[i], applicationId);
            lines[2 * i] = bytes.concat(
                abi.encode(IMemberships.ApplicationConsented.selector, _number(2 * i + 1), FIRST, orgId),
                abi.encode(_controller(orgId), applicationId, registrar, OPERATION)
            );
            lines[2 * i + 1] = bytes.concat(
                abi.encode(IMemberships.MembershipAdmitted.selector, _number(2 * i + 2), FIRST, orgId),
                abi.encode(FULL + i, EXPIRY + i, REASON, admissions[i].evidence, registrar, OPERATION)
            );
        }
        uint64 first = _number(1);
        vm.prank(registrar);
        memberships.admitByConsent(FIRST, admissions, consents, REASON, OPERATION);
        Vm.Log[] memory echoes = _assertLines(lines);
        vm.assertEq(echoes.length, 4, "echoes");
        for (uint32 i = 0; i < 2; ++i) {
            _assertTransfer(echoes[2 * i], address(0), _controller(5 + i), FIRST, 5 + i);
            _assertMembership(5 + i, IMemberships.Status.Active, FULL + uint8(i), NOW, EXPIRY + i);
            uint64 line = memberships.operationSequence(_controller(5 + i), keccak256(abi.encode(i)));
            vm.assertEq(line, first + 2 * i, "the application's line");
        }
        vm.assertEq(memberships.operationSequence(registrar, OPERATION), first, "the operation's first line");
    }

    function test_admitByConsent__of_another_number__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        IMemberships.Consent[] memory none = new IMemberships.Consent[](0);
        bytes4 selector = IMemberships.MembershipsConsentCount.selector;
        _admits(one, none, abi.encodeWithSelector(selector, 1, 0));
        IMemberships.Consent[] memory two = new IMemberships.Consent[](2);
        two[0] = two[1] = agreed[0];
        _admits(one, two, abi.encodeWithSelector(selector, 1, 2));
    }

    function test_admitByConsent__none_or_too_many__is_refused() public {
        uint256 most = memberships.MAX_CONSENTS();
        uint256[2] memory sizes = [0, most + 1];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure =
                abi.encodeWithSelector(IMemberships.MembershipsBatchSize.selector, sizes[i], most);
            _admits(new IMemberships.Admission[](sizes[i]), new IMemberships.Consent[](sizes[i]), failure);
        }
    }

    function test_admitByConsent__the_most_at_once__fits_a_transaction() public {
        uint32 most = uint32(memberships.MAX_CONSENTS());
        _register(100);
        IMemberships.Admission[] memory admissions = new IMemberships.Admission[](most);
        IMemberships.Consent[] memory consents = new IMemberships.Consent[](most);
        for (uint32 i = 0; i < most; ++i) {
            uint32 orgId = 7 + i;
            bytes32 evidence = keccak256(abi.encode("evidence", i));
            admissions[i] = IMemberships.Admission(orgId, FULL, EXPIRY, evidence);
            consents[i] = _consent(_key(orgId), FIRST, admissions[i], keccak256(abi.encode(i)));
        }
        bytes memory data =
            abi.encodeCall(memberships.admitByConsent, (FIRST, admissions, consents, REASON, _operation()));
        vm.cool(address(memberships));
        vm.cool(address(organisations));
        _send(address(memberships), registrar, data, "");
        // The most that its data can cost, on top (EIP-2028); half of a transaction is left to wallets.
        uint256 gas = 21_000 + 16 * data.length + vm.lastCallGas().gasTotalUsed;
        vm.assertLe(gas, 16_777_216 / 2 + 500_000, "gas");
        vm.assertEq(memberships.sequence(), 6 + 2 * most, "lines");
    }

    function test_admitByConsent__what_was_not_agreed_to__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        bytes memory failure = _invalid(_controller(5));
        one[0].tier = OBSERVER;
        _admits(one, agreed, failure);
        one[0].tier = FULL;
        one[0].evidence = keccak256("other evidence");
        _admits(one, agreed, failure);
        one[0].evidence = EVIDENCE;
        one[0].orgId = 6;
        _admits(one, agreed, failure);
        one[0].orgId = 5;
        agreed[0].applicationId = "another";
        _admits(one, agreed, failure);
        agreed[0].applicationId = APPLICATION;
        agreed[0].signed.deadline += 1;
        _admits(one, agreed, failure);
        agreed[0].signed.deadline -= 1;
        bytes memory data = abi.encodeCall(memberships.admitByConsent, (SECOND, one, agreed, REASON, _operation()));
        _send(address(memberships), registrar, data, failure); // another programme
        one[0].expiresAt = EXPIRY + 1; // left to the registrar
        _admits(one, agreed, "");
    }

    function test_admitByConsent__in_another_order__is_refused() public {
        (IMemberships.Admission[] memory two, IMemberships.Consent[] memory agreed) = _both();
        (agreed[0], agreed[1]) = (agreed[1], agreed[0]);
        _admits(two, agreed, _invalid(_controller(6)));
        (two[0], two[1]) = (two[1], two[0]);
        _admits(two, agreed, "");
    }

    function test_admitByConsent__one_of_many_refused__admits_none() public {
        (IMemberships.Admission[] memory two, IMemberships.Consent[] memory agreed) = _both();
        agreed[1].signed.signature = _malleated(agreed[1].signed.signature);
        bytes32 before = memberships.head();
        _admits(two, agreed, _invalid(_controller(6)));
        vm.assertEq(memberships.head(), before, "head");
        vm.assertEq(memberships.operationSequence(_controller(5), "5"), 0, "the first's application");
        vm.assertEq(uint8(memberships.membership(FIRST, 5).status), 0, "the first");
    }

    function test_admitByConsent__signed_by_any_other__is_refused() public {
        IMemberships.Admission[] memory one = _admissions(5, FULL, EXPIRY);
        IMemberships.Consent[] memory agreed = new IMemberships.Consent[](1);
        uint256[4] memory keys = [_key("stranger"), _key("registrar"), _key(uint32(6)), _key(uint32(1))];
        for (uint256 i = 0; i < 4; ++i) {
            agreed[0] = _consent(keys[i], FIRST, one[0], APPLICATION);
            _admits(one, agreed, _notController(vm.addr(keys[i]), 5));
        }
    }

    function test_admitByConsent__signed_by_a_controller_of_before__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        address next = _account("next");
        vm.prank(_controller(5));
        organisations.nominate(5, next, "nomination");
        vm.prank(next);
        organisations.acceptControl(5, "acceptance");
        _admits(one, agreed, _notController(_controller(5), 5));
        agreed[0] = _consent(_key("next"), FIRST, one[0], APPLICATION);
        _admits(one, agreed, "");
        vm.assertEq(memberships.ownerOf(_tokenId(FIRST, 5)), next, "owner");
    }

    function test_admitByConsent__an_application_twice__counts_once() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        _admits(one, agreed, "");
        _plain(2, 5, ""); // revoked: the agreement of then is none for now
        uint64 line = memberships.operationSequence(_controller(5), APPLICATION);
        bytes memory failure = abi.encodeWithSelector(IJournal.JournalOperationDone.selector, APPLICATION, line);
        _admits(one, agreed, failure);
        (, agreed) = _applicant(5, "another application");
        _admits(one, agreed, "");
    }

    function test_admitByConsent__one_id_for_two__is_each_ones_own() public {
        (IMemberships.Admission[] memory two, IMemberships.Consent[] memory agreed) = _both();
        agreed[1] = _consent(_key(uint32(6)), FIRST, two[1], "5");
        uint64 line = memberships.sequence() + 1;
        // Also the registrar's own for this command.
        bytes memory data = abi.encodeCall(memberships.admitByConsent, (FIRST, two, agreed, REASON, "5"));
        _send(address(memberships), registrar, data, "");
        vm.assertEq(memberships.operationSequence(registrar, "5"), line, "the registrar's");
        vm.assertEq(memberships.operationSequence(_controller(5), "5"), line, "the first's");
        vm.assertEq(memberships.operationSequence(_controller(6), "5"), line + 2, "the second's");
    }

    /// @dev Another registrar and another applicant see the ids and use them up first: their own.
    function test_admitByConsent__ids_used_by_others_first__are_new_all_the_same() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        _appoint(REGISTRAR_ROLE, FIRST, stranger);
        (IMemberships.Admission[] memory other, IMemberships.Consent[] memory others) = _applicant(6, APPLICATION);
        bytes memory data = abi.encodeCall(memberships.admitByConsent, (FIRST, other, others, REASON, OPERATION));
        _send(address(memberships), stranger, data, "");
        data = abi.encodeCall(memberships.suspend, (FIRST, _one(uint32(1)), REASON, EVIDENCE, APPLICATION));
        _send(address(memberships), stranger, data, "");
        data = abi.encodeCall(memberships.admitByConsent, (FIRST, one, agreed, REASON, OPERATION));
        _send(address(memberships), registrar, data, "");
        vm.assertTrue(memberships.inGoodStanding(FIRST, 5), "admitted");
    }

    /// @dev One account can be both: then its two ids differ.
    function test_admitByConsent__twice_one_id_of_one_account__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, OPERATION);
        _appoint(REGISTRAR_ROLE, FIRST, _controller(5));
        uint64 line = memberships.sequence() + 1;
        bytes memory data = abi.encodeCall(memberships.admitByConsent, (FIRST, one, agreed, REASON, OPERATION));
        bytes memory failure = abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, line);
        _send(address(memberships), _controller(5), data, failure);
        (one, agreed) = _applicant(5, 0);
        _admits(one, agreed, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
    }

    function test_admitByConsent__expired_or_cancelled__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        uint256 before = vm.snapshotState();
        vm.prank(_controller(5));
        memberships.cancelMessage(APPLICATION);
        bytes4 selector = ISignedMessages.SignedCancelled.selector;
        _admits(one, agreed, abi.encodeWithSelector(selector, _controller(5), APPLICATION));
        vm.revertToState(before);
        vm.warp(DEADLINE + 1);
        selector = ISignedMessages.SignedExpired.selector;
        _admits(one, agreed, abi.encodeWithSelector(selector, DEADLINE, DEADLINE + 1));
        vm.warp(DEADLINE);
        _admits(one, agreed, "");
    }

    function test_admitByConsent__for_another_contract_or_chain__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, APPLICATION);
        vm.chainId(block.chainid + 1);
        _admits(one, agreed, _invalid(_controller(5)));
        vm.chainId(block.chainid - 1);
        bytes32 message = _application(FIRST, one[0], _controller(5), APPLICATION);
        bytes32 digest = _digest(address(organisations), "Moonlake Memberships", message);
        bytes memory right = agreed[0].signed.signature;
        agreed[0].signed.signature = _sign(_key(uint32(5)), digest);
        _admits(one, agreed, _invalid(_controller(5)));
        agreed[0].signed.signature = right;
        _admits(one, agreed, "");
    }

    function test_admitByConsent__what_admit_refuses__is_refused() public {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(3, APPLICATION);
        _admits(one, agreed, abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 3));
        (one, agreed) = _applicant(5, APPLICATION);
        one[0].expiresAt = NOW;
        _admits(one, agreed, _tooEarly(5, NOW, NOW + 1));
        one[0].tier = 9;
        agreed[0] = _consent(_key(uint32(5)), FIRST, one[0], APPLICATION);
        _admits(one, agreed, abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 9));
        (one, agreed) = _applicant(7, APPLICATION);
        _admits(one, agreed, abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, 7));
        (one, agreed) = _applicant(5, APPLICATION);
        bytes memory data = abi.encodeCall(memberships.admitByConsent, (FIRST, one, agreed, "Because", OPERATION));
        bytes memory failure = abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Because"));
        _send(address(memberships), registrar, data, failure);
        data = abi.encodeCall(memberships.admitByConsent, (3, one, agreed, REASON, OPERATION));
        failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, 3);
        _send(address(memberships), registrar, data, failure);
    }

    function test_admitByConsent__of_a_wallet_and_of_a_verifiers_key__are_good() public {
        Wallet wallet = new Wallet(_account("owner"));
        bytes memory signer = abi.encodePacked(new Verifier(), _account("passkey"));
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](2);
        given[0] = IOrganisations.Registration(address(wallet), "company", EVIDENCE);
        given[1] = IOrganisations.Registration(memberships.accountOf(signer), "company", EVIDENCE);
        vm.prank(registrar);
        organisations.register(given, OPERATION);
        IMemberships.Admission[] memory two = new IMemberships.Admission[](2);
        IMemberships.Consent[] memory agreed = new IMemberships.Consent[](2);
        for (uint32 i = 0; i < 2; ++i) {
            two[i] = IMemberships.Admission(7 + i, FULL, EXPIRY, EVIDENCE);
            agreed[i].applicationId = keccak256(abi.encode(i));
            bytes32 message = _application(FIRST, two[i], given[i].controller, agreed[i].applicationId);
            bytes32 digest = _digest(address(memberships), "Moonlake Memberships", message);
            agreed[i].signed = i == 0
                ? _signedFor(abi.encodePacked(wallet), _key("owner"), digest, DEADLINE)
                : _signedFor(signer, _key("passkey"), digest, DEADLINE);
        }
        _admits(two, agreed, "");
        vm.assertEq(memberships.ownerOf(_tokenId(FIRST, 7)), address(wallet), "the wallet's");
        vm.assertEq(memberships.ownerOf(_tokenId(FIRST, 8)), given[1].controller, "the key's");
    }

    function _admits(
        IMemberships.Admission[] memory admissions,
        IMemberships.Consent[] memory consents,
        bytes memory failure
    ) private {
        bytes memory data = abi.encodeCall(
            memberships.admitByConsent, (FIRST, admissions, consents, REASON, _operation())
        );
        _send(address(memberships), registrar, data, failure);
    }

    /// @dev An organisation's application to be admitted, as `_admissions` has it.
    function _applicant(uint32 orgId, bytes32 applicationId)
        private
        view
        returns (IMemberships.Admission[] memory admissions, IMemberships.Consent[] memory consents)
    {
        admissions = _admissions(orgId, FULL, EXPIRY);
        consents = new IMemberships.Consent[](1);
        consents[0] = _consent(_key(orgId), FIRST, admissions[0], applicationId);
    }

    /// @dev Applications of organisations 5 and 6, by these ids.
    function _both()
        private
        view
        returns (IMemberships.Admission[] memory admissions, IMemberships.Consent[] memory consents)
    {
        admissions = new IMemberships.Admission[](2);
        consents = new IMemberships.Consent[](2);
        for (uint32 i = 0; i < 2; ++i) {
            admissions[i] = IMemberships.Admission(5 + i, FULL, EXPIRY, EVIDENCE);
            consents[i] = _consent(_key(5 + i), FIRST, admissions[i], i == 0 ? bytes32("5") : bytes32("6"));
        }
    }

    function _consent(
        uint256 key,
        uint16 programmeId,
        IMemberships.Admission memory admission,
        bytes32 applicationId
    ) private view returns (IMemberships.Consent memory) {
        bytes32 message = _application(programmeId, admission, vm.addr(key), applicationId);
        return IMemberships.Consent(
            applicationId, _signed(key, address(memberships), "Moonlake Memberships", message, DEADLINE)
        );
    }

    /// @dev As it is specified in IMemberships.sol.
    function _application(
        uint16 programmeId,
        IMemberships.Admission memory admission,
        address account,
        bytes32 applicationId
    ) private pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,address account,bytes32 applicationId,uint256 deadline)"
        );
        return keccak256(
            abi.encode(
                kind,
                programmeId,
                admission.orgId,
                admission.tier,
                admission.evidence,
                account,
                applicationId,
                DEADLINE
            )
        );
    }

    function _writeConsent(bytes32 operationId, address) private returns (bytes memory) {
        (IMemberships.Admission[] memory one, IMemberships.Consent[] memory agreed) = _applicant(5, _operation());
        return abi.encodeCall(memberships.admitByConsent, (FIRST, one, agreed, REASON, operationId));
    }

    function _invalid(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }

    function _notController(address account, uint32 orgId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberships.MembershipsNotController.selector, account, orgId);
    }
}
